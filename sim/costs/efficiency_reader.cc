#include "sim/costs/efficiency_reader.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace pipescope::costs {
namespace {

// Of one kind; comparing each with all others takes a blink then.
constexpr size_t kMostShapes = 4000;
constexpr double kGiga = 1024.0 * 1024.0 * 1024.0;

// A positive whole number of at most 12 digits, or 0.
double Count(const std::map<std::string, std::string>& parts, const std::string& name) {
  const auto at = parts.find(name);
  if (at == parts.end() || at->second.size() > 12) return 0;
  int64_t value = 0;
  const char* end = at->second.data() + at->second.size();
  const auto [last, error] = std::from_chars(at->second.data(), end, value);
  return error == std::errc() && last == end && value > 0 ? static_cast<double>(value) : 0;
}

std::string Text(const std::map<std::string, std::string>& parts, const std::string& name) {
  const auto at = parts.find(name);
  return at == parts.end() ? "" : at->second;
}

}  // namespace

std::map<std::string, std::string> PartsOf(const std::string& shape) {
  std::map<std::string, std::string> parts;
  for (size_t from = 0; from < shape.size();) {
    const size_t to = std::min(shape.find(", ", from), shape.size());
    const std::string part = shape.substr(from, to - from);
    const size_t equals = part.find('=');
    if (equals == std::string::npos ||
        !parts.emplace(part.substr(0, equals), part.substr(equals + 1)).second) {
      return {};
    }
    from = to + 2;
  }
  return parts;
}

void EfficiencyReader::AddShape(Fields& shapes, const std::string& kind, const std::string& text,
                                double share) {
  const auto parts = PartsOf(text);
  const auto refuse = [&](const char* expected) {
    shapes.Note(text, fmt::format("expected a shape like '{}'", expected));
  };
  if (kind == "sdp_fwd" || kind == "sdp_bwd") {
    if (Count(parts, "seq_len") * Count(parts, "head_num") * Count(parts, "qk_head_dim") == 0) {
      return refuse("batch=1, seq_len=4096, head_num=64, kv_head_num=8, qk_head_dim=128, ...");
    }
    file_.attention_[kind + " " + text] = share;
    return;
  }
  const bool grouped = kind == "group_matmul";
  const double groups = grouped ? Count(parts, "ng") : Count(parts, "b");
  const double m = Count(parts, grouped ? "M" : "m"), n = Count(parts, grouped ? "N" : "n"),
               k = Count(parts, grouped ? "K" : "k");
  if (groups * m * n * k == 0) {
    return refuse(grouped ? "ng=32, M=1024, N=4096, K=7168, ..., stage=fwd, ..."
                          : "b=1, m=4096, k=8192, n=8192, layout=TN, accumulate=False, ...");
  }
  if (!grouped && groups > 1) return;  // batched GEMMs are not ours
  MeasuredGemm gemm;
  gemm.kind = grouped ? Text(parts, "stage") + " " + Text(parts, "main_grad_dtype")
                      : Text(parts, "layout") + " " + Text(parts, "out_dtype");
  gemm.share = share;
  gemm.seconds = 2 * groups * m * n * k / (file_.peak_.value() * share);
  gemm.log_shape = {std::log2(grouped ? groups : 1), std::log2(m), std::log2(n), std::log2(k)};
  file_.gemms_.push_back(gemm);
}

void EfficiencyReader::ReadShapes(Fields& operations, const std::string& kind) {
  Fields operation = operations.OptionalObject(kind);
  const double tflops = operation.Number("tflops", 0.1, 1e6, 0.0);
  operation.IgnoreOthers();
  if (!operation.Has("accurate_efficient_factor")) return;
  if (tflops == 0) return operation.Note("tflops", "expected the peak that the shares refer to");
  if (file_.peak_.value() == 0) file_.peak_ = Teraflops(tflops);
  if (file_.peak_ != Teraflops(tflops)) {
    return operation.Note("tflops", "expected the same peak for all operations");
  }
  Fields shapes = operation.Object("accurate_efficient_factor");
  const std::vector<std::string> names = shapes.Names();
  if (names.size() > kMostShapes) {
    shapes.IgnoreOthers();
    return shapes.Note("",
                       fmt::format("{} shapes; at most {} are read", names.size(), kMostShapes));
  }
  for (const std::string& name : names) {
    AddShape(shapes, kind, name, shapes.Number(name, 1e-4, 4));
  }
}

void EfficiencyReader::ReadMemory(Fields& accelerator) {
  Fields bandwidth = accelerator.Object("bandwidth");
  for (const std::string& name : bandwidth.Names()) {
    Fields kind = bandwidth.Object(name);
    const double rate = kind.Number("gbps", 1e-3, 1e6) * kGiga;
    const double share = kind.Number("efficient_factor", 1e-4, 2);
    file_.memory_[name] = {Bandwidth(rate * share),
                           Microseconds(kind.Number("latency_us", 0, 1e6))};
    kind.IgnoreOthers();
  }
  if (!bandwidth.Has("default")) bandwidth.Note("", "expected a rate named 'default'");
}

void EfficiencyReader::ReadCollective(Fields& level_fields, Fields& operations,
                                      const std::string& level, const std::string& name) {
  Fields base = level_fields.Object("bandwidth");
  const double share = base.Number("efficient_factor", 1e-4, 4);
  const double rate = base.Number("gbps", 1e-3, 1e6) * kGiga;
  const double latency = base.Number("latency_us", 0, 1e6);
  base.IgnoreOthers();
  Fields f = operations.Object(name);
  MeasuredCollective c;
  c.scale = f.Number("scale", 0, 16);
  c.offset = f.Number("offset", -16, 16);
  c.rate = Bandwidth(rate * f.Number("efficient_factor", 1e-4, 4, share));
  c.latency = Microseconds(f.Number("latency_us", 0, 1e6, latency));
  c.fixed = Microseconds(f.Number("fixed_latency_us", 0, 1e6, 0.0));
  Fields by_gpus = f.OptionalObject("fixed_latency_us_by_comm_num");
  for (const std::string& gpus : by_gpus.Names()) {
    const double count = Count({{"gpus", gpus}}, "gpus");
    if (count == 0 || count > 1e6) by_gpus.Note(gpus, "expected a number of GPUs");
    c.fixed_of[static_cast<int>(count)] = Microseconds(by_gpus.Number(gpus, 0, 1e6));
  }
  f.IgnoreOthers();
  file_.collectives_[level + " " + name] = c;
}

void EfficiencyReader::ReadNetworks(Fields& root) {
  Fields networks = root.OptionalObject("networks");
  for (const char* level : {"low_intra_node", "high_intra_node", "inter_node"}) {
    if (!networks.Has(level)) continue;
    Fields fields = networks.Object(level);
    Fields operations = fields.Object("op");
    for (const char* name : {"all_reduce", "all_gather", "reduce_scatter", "p2p", "all2all"}) {
      if (operations.Has(name)) ReadCollective(fields, operations, level, name);
    }
    operations.IgnoreOthers();
    fields.IgnoreOthers();
  }
  networks.IgnoreOthers();
}

void EfficiencyReader::Read(Fields& root) {
  Fields accelerator = root.Object("accelerator");
  Fields operations = accelerator.Object("op");
  for (const char* kind : {"matmul", "group_matmul", "sdp_fwd", "sdp_bwd"}) {
    if (operations.Has(kind)) ReadShapes(operations, kind);
  }
  operations.IgnoreOthers();
  ReadMemory(accelerator);
  accelerator.IgnoreOthers();
  ReadNetworks(root);
  root.IgnoreOthers();
}

}  // namespace pipescope::costs
