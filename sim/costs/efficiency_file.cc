#include "sim/costs/efficiency_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "sim/base/document.h"
#include "sim/base/fields.h"
#include "sim/costs/efficiency_reader.h"

namespace pipescope::costs {
namespace {

constexpr double kLong = 2e-3;   // seconds: kernels whose loops reach the sustained clock
constexpr double kFarthest = 4;  // of a neighbour
constexpr size_t kNeighbours = 4;
constexpr int64_t kMaxBytes = 8 << 20;

double Quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const double at = share * static_cast<double>(values.size());
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(at);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

double Median(const std::vector<double>& values) { return Quantile(values, 0.5); }

bool Starts(std::string_view name, std::string_view with) { return name.starts_with(with); }

}  // namespace

Result<EfficiencyFile> EfficiencyFile::Load(const std::string& path, int sms) {
  auto document = LoadDocument(path, kMaxBytes);
  if (!document) return Fail(document.error());
  Reader reader(*document);
  Fields root = reader.Root();
  EfficiencyFile file;
  file.sms_ = sms;
  EfficiencyReader(file).Read(root);
  if (auto ok = reader.Finish(); !ok) return Fail(ok.error());
  file.Derive();
  return file;
}

void EfficiencyFile::Derive() {
  std::vector<double> sustained, errors, twice;
  for (const MeasuredGemm& gemm : gemms_) {
    const bool grouped = gemm.log_shape[0] > 0;
    if (!grouped && gemm.seconds >= kLong) sustained.push_back(gemm.share);
    const auto guess = ShareOf(gemm.kind, gemm.log_shape, &gemm);
    if (guess) errors.push_back(std::abs(guess->share / gemm.share - 1));
  }
  sustained_ = FlopRate(peak_.value() * (sustained.empty() ? 1 : Median(sustained)));
  interpolated_spread_ = Median(errors);
  constexpr std::string_view kTogether = "qkv_contiguous=True", kApart = "qkv_contiguous=False";
  for (const auto& [shape, share] : attention_) {
    if (!shape.ends_with(kTogether)) continue;
    const auto at =
        attention_.find(shape.substr(0, shape.size() - kTogether.size()) + std::string(kApart));
    if (at != attention_.end()) twice.push_back(std::abs(at->second / share - 1));
  }
  // Alone or in a step, a kernel runs at the clock that its power allows: how far the long-running
  // shapes differ tells how far that may be from the median.
  const double clocks =
      sustained.empty()
          ? 0
          : (Quantile(sustained, 0.84) - Quantile(sustained, 0.16)) / 2 / Quantile(sustained, 0.5);
  measured_spread_ = std::max(Median(twice), clocks);
}

std::optional<EfficiencyFile::Guess> EfficiencyFile::ShareOf(const std::string& kind,
                                                             const std::array<double, 4>& shape,
                                                             const MeasuredGemm* left_out) const {
  std::vector<std::pair<double, double>> near;  // distance, share
  for (const MeasuredGemm& gemm : gemms_) {
    if (&gemm == left_out || gemm.kind != kind) continue;
    double distance = 0;
    for (size_t i = 0; i < shape.size(); ++i) distance += std::abs(gemm.log_shape[i] - shape[i]);
    if (distance < 1e-9) {
      if (left_out == nullptr) return Guess{gemm.share, true};
      continue;  // the same shape, measured again: no neighbour
    }
    if (distance <= kFarthest) near.emplace_back(distance, gemm.share);
  }
  if (near.empty()) return std::nullopt;
  std::sort(near.begin(), near.end());
  near.resize(std::min(near.size(), kNeighbours));
  double sum = 0, weights = 0;
  for (const auto& [distance, share] : near) {
    sum += share / (distance * distance);
    weights += 1 / (distance * distance);
  }
  return Guess{sum / weights, false};
}

// The table's m, n, k are those of the GEMM for a single one, and the forward pass's for a group.
std::optional<Estimate> EfficiencyFile::Gemm(const model::Kernel& kernel, int sms) const {
  if (kernel.precision != model::Precision::kBf16) return std::nullopt;
  const bool grouped = kernel.groups > 1;
  const auto log = [](int64_t value) { return std::log2(static_cast<double>(value)); };
  const double m = log(kernel.m), n = log(kernel.n), k = log(kernel.k);
  std::string kind;
  std::array<double, 4> shape = {grouped ? log(kernel.groups) : 0, m, n, k};
  switch (kernel.pass) {
    case model::Pass::kForward:
      kind = grouped ? "fwd fp32" : "TN bf16";
      break;
    case model::Pass::kInputGrad:
      kind = grouped ? "bwd_grad_act fp32" : "NN bf16";
      if (grouped) shape = {shape[0], m, k, n};
      break;
    case model::Pass::kWeightGrad:
      kind = grouped ? "bwd_grad_w fp32" : "NT fp32";
      shape = {shape[0], grouped ? k : n, grouped ? n : m, grouped ? m : k};
      break;
  }
  const auto guess = ShareOf(kind, shape, nullptr);
  if (!guess) return std::nullopt;
  const double rate = std::min(guess->share * peak_.value(), sustained_.value());
  return Estimate{
      Seconds(kernel.flops.value() / rate * sms_ / sms),
      guess->measured ? measured_spread_ : std::max(measured_spread_, interpolated_spread_),
      guess->measured ? Origin::kMeasured : Origin::kInterpolated};
}

std::optional<Estimate> EfficiencyFile::Attention(const model::Kernel& kernel) const {
  const model::AttentionShape& a = kernel.attention;
  const bool forward = kernel.pass == model::Pass::kForward;
  const auto at = attention_.find(
      fmt::format("{} batch={}, seq_len={}, head_num={}, kv_head_num={}, qk_head_dim={}, "
                  "v_head_dim={}, qkv_contiguous=True",
                  forward ? "sdp_fwd" : "sdp_bwd", a.batch, a.sequence, a.heads, a.key_heads,
                  a.qk_dim, a.v_dim));
  if (at == attention_.end()) return std::nullopt;
  const double s = static_cast<double>(a.sequence);
  const double square = 2 * static_cast<double>(a.batch * a.heads * (a.qk_dim + a.v_dim)) * s * s;
  const double flops = square * (forward ? 1 : 2.5);
  return Estimate{Seconds(flops / (peak_.value() * at->second)), measured_spread_,
                  Origin::kMeasured};
}

// The table's rates of two operations refer to bytes of its own counting, so these are what a time
// follows from: 4 bytes a logit forward and backward of the fused loss, and 2 (1 + 3 k) bytes a
// token's value for copying its row to k experts or back, here with the k = 8 of the larger model
// that was measured. We count 2 and 4, and 4 k.
Estimate EfficiencyFile::Memory(const model::Kernel& kernel) const {
  const std::string_view name = kernel.name;
  const char* kind = "default";
  double recount = 1;
  if (Starts(name, "permute") || Starts(name, "unpermute")) {
    kind = name.ends_with("backward") ? "permute_bwd" : "permute_fwd";
    if (name.find("copies") != std::string_view::npos) recount = 2.0 * (1 + 3 * 8) / (4 * 8);
  } else if (Starts(name, "cross_entropy")) {
    kind = memory_.count("ce_fusion") > 0 ? "ce_fusion" : "ce";
    if (name == "cross_entropy") recount = 2;
  }
  const auto at = memory_.find(kind);
  const MeasuredRate& rate = at == memory_.end() ? memory_.at("default") : at->second;
  const Bytes counted = RoundBytes(recount * static_cast<double>(kernel.bytes.value()));
  return {counted / rate.rate + rate.latency, measured_spread_, Origin::kMeasured};
}

std::optional<Estimate> EfficiencyFile::Kernel(const model::Kernel& kernel, int sms) const {
  switch (kernel.kind) {
    case model::KernelKind::kGemm:
      return Gemm(kernel, sms);
    case model::KernelKind::kAttention:
      return Attention(kernel);
    case model::KernelKind::kMemory:
      return Memory(kernel);
  }
  return std::nullopt;
}

std::optional<Estimate> EfficiencyFile::Message(const Collective& c) const {
  constexpr const char* kNames[] = {"all_gather", "reduce_scatter", "all_reduce", "all2all", "p2p"};
  if (c.group <= 1) return Estimate{Duration(), 0, Origin::kMeasured};
  const bool inside = c.per_node == c.group;
  if (!inside) return std::nullopt;  // what was measured inside a node does not tell of fabrics
  const bool two = c.kind == CollectiveKind::kPointToPoint || c.group == 2;
  const auto at = collectives_.find(std::string(two ? "low_intra_node " : "high_intra_node ") +
                                    kNames[static_cast<size_t>(c.kind)]);
  if (at == collectives_.end()) return std::nullopt;
  const MeasuredCollective& m = at->second;
  const double n = c.group;
  const bool pair = c.kind == CollectiveKind::kPointToPoint;
  const double bytes = static_cast<double>(c.whole.value()) * (m.scale + m.offset / n);
  const auto fixed = m.fixed_of.find(c.group);
  const double steps = pair ? 1 : (n + m.offset) * m.scale;
  return Estimate{Seconds(bytes / m.rate.value() + m.latency.seconds() * steps) +
                      (fixed == m.fixed_of.end() ? m.fixed : fixed->second),
                  measured_spread_, Origin::kMeasured};
}

}  // namespace pipescope::costs
