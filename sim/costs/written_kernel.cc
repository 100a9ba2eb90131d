#include "sim/costs/written_kernel.h"

#include <algorithm>

namespace pipescope::costs {
namespace {

using measured::Kind;

measured::Pass PassOf(model::Pass pass) {
  return pass == model::Pass::kForward     ? measured::Pass::kForward
         : pass == model::Pass::kInputGrad ? measured::Pass::kInputGrad
                                           : measured::Pass::kWeightGrad;
}

model::Pass PassOf(measured::Pass pass) {
  return pass == measured::Pass::kForward     ? model::Pass::kForward
         : pass == measured::Pass::kInputGrad ? model::Pass::kInputGrad
                                              : model::Pass::kWeightGrad;
}

// The model's memory-bound kernels that stream, by a part of their names, and `calibrate`'s.
struct Called {
  std::string_view part, forward, backward;
};
constexpr Called kStreams[] = {
    {"swiglu", "swiglu", "swiglu_input_grad"},
    {"rope", "rope", "rope_input_grad"},
    {"unpermute", "unpermute", "unpermute_input_grad"},
    {"permute", "permute", "permute_input_grad"},
    {"scatter_add", "", ""},  // adds rows to FP32 sums here and there
    {"_add", "residual", "residual"},
    {"top_k", "router", "router_input_grad"},
    {"gather", "embedding", "embedding"},
    {"cross_entropy", "cross_entropy", "cross_entropy_input_grad"},
};

std::string_view StreamName(std::string_view name) {
  for (const Called& called : kStreams) {
    if (name.find(called.part) == std::string_view::npos) continue;
    return name.ends_with("_backward") ? called.backward : called.forward;
  }
  return "";
}

std::string_view MemoryName(const model::Kernel& kernel) {
  const std::string_view name = kernel.name;
  switch (kernel.traffic) {
    case model::Traffic::kNorm:
      return name.ends_with("_backward") ? "rms_norm_input_grad" : "rms_norm";
    case model::Traffic::kCast:
      return name.starts_with("wgrad_") ? "fp8_quantize_tiles_transposed" : "fp8_quantize_tiles";
    case model::Traffic::kStream:
      return StreamName(name);
  }
  return "";
}

// The other way: how what `calibrate` calls so goes through memory.
model::Traffic TrafficOf(std::string_view name) {
  if (name.starts_with("rms_norm") || name.starts_with("mtp_join")) return model::Traffic::kNorm;
  return name.starts_with("fp8_quantize") ? model::Traffic::kCast : model::Traffic::kStream;
}

std::string_view GemmName(const model::Kernel& kernel) {
  static constexpr std::string_view kNames[3][3] = {
      {"fp8_gemm_forward", "fp8_gemm_input_grad", "fp8_gemm_weight_grad"},
      {"fp8_gemm_grouped", "fp8_gemm_grouped_input_grad", "fp8_gemm_grouped_weight_grad"},
      {"linear_forward", "linear_input_grad", "linear_weight_grad"}};
  const bool fp8 = kernel.precision == model::Precision::kFp8;
  return kNames[fp8 ? (kernel.groups > 1 ? 1 : 0) : 2][static_cast<size_t>(kernel.pass)];
}

model::Kernel GemmOf(const measured::Operation& op, bool fp8) {
  const auto size = [&](const char* name) { return static_cast<double>(op.shape.at(name)); };
  model::Kernel kernel;
  kernel.kind = model::KernelKind::kGemm;
  kernel.groups = op.shape.at("groups");
  kernel.m = op.shape.at("m");
  kernel.n = op.shape.at("n");
  kernel.k = op.shape.at("k");
  const double g = size("groups"), m = size("m"), n = size("n"), k = size("k");
  const double out = op.pass == measured::Pass::kWeightGrad ? 8 : 2;
  kernel.flops = Flops(2 * g * m * n * k);
  kernel.bytes = RoundBytes(g * ((fp8 ? 1.0 + 4.0 / 128 : 2.0) * (m + n) * k + out * m * n));
  return kernel;
}

model::Kernel AttentionOf(const measured::Operation& op) {
  const auto size = [&](const char* name) { return static_cast<double>(op.shape.at(name)); };
  model::Kernel kernel;
  kernel.kind = model::KernelKind::kAttention;
  const bool forward = op.pass == measured::Pass::kForward;
  const double widths =
      forward ? size("qk_dim") + size("v_dim") : 3 * size("qk_dim") + 2 * size("v_dim");
  const double s = size("sequence");
  kernel.flops = Flops(size("batch") * size("heads") * widths * s * s);  // causal: half of 2
  return kernel;
}

}  // namespace

measured::Operation Written(const model::Kernel& k, int sms) {
  measured::Operation op;
  op.format =
      k.precision == model::Precision::kFp8 ? measured::Format::kFp8 : measured::Format::kBf16;
  op.sms = sms;
  op.pass = PassOf(k.pass);
  op.name = MeasuredName(k);
  const model::AttentionShape& a = k.attention;
  switch (k.kind) {
    case model::KernelKind::kGemm:
      op.kind = Kind::kGemm;
      op.shape = {{"groups", k.groups}, {"m", k.m}, {"n", k.n}, {"k", k.k}};
      break;
    case model::KernelKind::kAttention:
      op.kind = Kind::kAttention;
      op.shape = {{"batch", a.batch},         {"sequence", a.sequence}, {"heads", a.heads},
                  {"key_heads", a.key_heads}, {"qk_dim", a.qk_dim},     {"v_dim", a.v_dim}};
      break;
    case model::KernelKind::kMemory:
      op.kind = Kind::kMemory;
      op.pass = measured::Pass::kNone;
      op.format = measured::Format::kBf16;
      op.shape = {{"bytes", std::max<int64_t>(k.bytes.value(), 1)}};
      break;
  }
  return op;
}

model::Kernel KernelOf(const measured::Operation& op) {
  const bool fp8 = op.format == measured::Format::kFp8;
  model::Kernel kernel;
  if (op.kind == Kind::kMemory) {
    kernel.bytes = Bytes(op.shape.at("bytes"));
    kernel.traffic = TrafficOf(op.name);
  } else {
    kernel = op.kind == Kind::kGemm ? GemmOf(op, fp8) : AttentionOf(op);
  }
  kernel.pass = PassOf(op.pass);
  kernel.precision = fp8 ? model::Precision::kFp8 : model::Precision::kBf16;
  return kernel;
}

std::string_view MeasuredName(const model::Kernel& kernel) {
  switch (kernel.kind) {
    case model::KernelKind::kGemm:
      return GemmName(kernel);
    case model::KernelKind::kAttention:
      return kernel.pass == model::Pass::kForward ? "attention" : "attention_input_grad";
    case model::KernelKind::kMemory:
      return MemoryName(kernel);
  }
  return "";
}

std::string_view BareName(std::string_view name) {
  const std::string_view alone = name.substr(0, name.find(" beside communication"));
  return alone.substr(0, alone.find(" ("));
}

}  // namespace pipescope::costs
