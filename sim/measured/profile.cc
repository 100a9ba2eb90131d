#include "sim/measured/profile.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "sim/base/result.h"

namespace pipescope::measured {
namespace {

constexpr std::string_view kGemm[] = {"groups", "m", "n", "k"};
constexpr std::string_view kAttention[] = {"batch",     "sequence", "heads",
                                           "key_heads", "qk_dim",   "v_dim"};
constexpr std::string_view kMemory[] = {"bytes"};
constexpr std::string_view kCollective[] = {"bytes", "gpus", "per_node"};
constexpr std::string_view kMessage[] = {"bytes", "per_node"};
constexpr std::string_view kLayer[] = {
    "tokens",       "sequence",     "hidden",          "heads",    "experts", "experts_per_token",
    "expert_width", "shared_width", "expert_parallel", "recompute"};
constexpr std::string_view kBlocks[] = {"blocks"};

struct KindInfo {
  Kind self;
  const char* name;
  bool has_pass;
  std::span<const std::string_view> dimensions;
};
constexpr std::array<KindInfo, kKinds> kInfo = {{
    {Kind::kGemm, "gemm", true, kGemm},
    {Kind::kAttention, "attention", true, kAttention},
    {Kind::kMemory, "memory", false, kMemory},
    {Kind::kAllGather, "all_gather", false, kCollective},
    {Kind::kReduceScatter, "reduce_scatter", false, kCollective},
    {Kind::kAllReduce, "all_reduce", false, kCollective},
    {Kind::kAllToAll, "all_to_all", false, kCollective},
    {Kind::kMessage, "message", false, kMessage},
    {Kind::kAttentionPhase, "attention_phase", true, kLayer},
    {Kind::kMlpPhase, "mlp_phase", true, kLayer},
    {Kind::kDispatch, "dispatch", true, kLayer},
    {Kind::kCombine, "combine", true, kLayer},
    {Kind::kNotifyDispatch, "notify_dispatch", true, kLayer},
    {Kind::kNotifyCombine, "notify_combine", true, kLayer},
    {Kind::kOther, "other", false, kBlocks},
}};
constexpr bool InOrder() {
  for (size_t i = 0; i < kInfo.size(); ++i) {
    if (static_cast<size_t>(kInfo[i].self) != i) return false;
  }
  return true;
}
static_assert(InOrder());

const KindInfo& Info(Kind kind) { return kInfo[static_cast<size_t>(kind)]; }

}  // namespace

const char* Name(Kind kind) { return Info(kind).name; }
std::span<const std::string_view> Dimensions(Kind kind) { return Info(kind).dimensions; }
bool HasPass(Kind kind) { return Info(kind).has_pass; }

const char* Name(Pass pass) {
  constexpr const char* kNames[kPasses] = {"none", "forward", "input_grad", "weight_grad"};
  return kNames[static_cast<size_t>(pass)];
}

const char* Name(Format format) {
  constexpr const char* kNames[kFormats] = {"fp8", "bf16", "fp32", "unknown"};
  return kNames[static_cast<size_t>(format)];
}

Times TimesOf(std::span<const Duration> each) {
  PIPESCOPE_CHECK(!each.empty());
  const double count = static_cast<double>(each.size());
  double sum = 0, squares = 0;
  for (const Duration d : each) sum += static_cast<double>(d.picoseconds());
  const double mean = sum / count;
  for (const Duration d : each) squares += std::pow(static_cast<double>(d.picoseconds()) - mean, 2);
  const double deviation = each.size() > 1 ? std::sqrt(squares / (count - 1)) : 0;
  const auto [least, most] = std::minmax_element(each.begin(), each.end());
  // Rounding must not carry the mean out of its range.
  const Duration middle = std::clamp(Duration(std::llround(mean)), *least, *most);
  return {static_cast<int64_t>(each.size()), middle, *least, *most,
          Duration(std::llround(deviation))};
}

}  // namespace pipescope::measured
