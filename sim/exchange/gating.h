// Which GPUs each token goes to: experts drawn from group-limited gating, deduplicated exactly.
//
// As DeepSeek-V3 gates (arXiv 2412.19437, section 2.1.2): every expert has a score in (0, 1); a
// group's score is the sum of its two best experts'; the best groups are kept, and the best experts
// in them are taken. A token goes once to each GPU that holds one or more of its experts.
//
// The score of expert e is u^(1 / load_e) with u uniform in (0, 1): the k largest of such scores
// are k draws without replacement, each with a chance in proportion to its load (Efraimidis and
// Spirakis 2006). Loads are equal, or given, or Zipf's: the i-th busiest expert has 1 / i^skew, and
// which one is the i-th is drawn too.
//
// Example: 256 experts on 8 nodes of 8 GPUs, 4 groups of 8, top 8: a token is on 3.86 nodes
// and 7.32 GPUs. Groups drawn at random instead, as the closed form in sim/costs/routing.h has it,
// give 3.64 nodes: whoever picks groups by their best experts then uses nearly all that he picked.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/base/result.h"

namespace pipescope::exchange {

enum class GroupScore {
  kBestTwo,  // DeepSeek-V3
  kBestOne,  // the benchmark behind DeepEP's published rows (tests/legacy/test_internode.py)
  kRandom    // every set of groups alike
};

struct Gating {
  int experts = 256;
  int top_k = 8;
  int groups = 8;
  int groups_per_token = 4;
  GroupScore score = GroupScore::kBestTwo;
  double skew = 0;            // Zipf's exponent; 0: balanced
  std::vector<double> loads;  // by expert, in place of `skew`; empty: none given
  uint64_t seed = 1;

  bool balanced() const { return skew == 0 && loads.empty(); }
};

// Where the tokens of one GPU go.
struct Routing {
  std::vector<int32_t> first = {0};  // token t goes to gpus[first[t]] up to gpus[first[t + 1]]
  std::vector<int32_t> gpus;         // distinct, ascending in a token
  std::vector<int64_t> expert_tokens;

  int64_t tokens() const { return static_cast<int64_t>(first.size()) - 1; }
  std::span<const int32_t> Of(int64_t token) const {
    const auto from = static_cast<size_t>(first[static_cast<size_t>(token)]);
    const auto to = static_cast<size_t>(first[static_cast<size_t>(token) + 1]);
    return std::span<const int32_t>(gpus).subspan(from, to - from);
  }
};

// Fails where experts, groups and GPUs do not divide, or there are too many of them.
Status CheckGating(const Gating& gating, int gpus);

// The tokens of `source`, one of `gpus` GPUs that hold equally many experts in a row. The gating
// must have passed CheckGating.
Routing DrawRouting(const Gating& gating, int gpus, int source, int64_t tokens);

// The experts themselves, `top_k` a token, of the same draw.
std::vector<int32_t> DrawExperts(const Gating& gating, int source, int64_t tokens);

}  // namespace pipescope::exchange
