#include "sim/costs/routing.h"

#include <fmt/format.h>

#include <algorithm>

namespace pipescope::costs {
namespace {

// C(n - x, k) / C(n, k): the chance that k of n experts avoid x given ones.
double MissAll(int n, int x, int k) {
  double p = 1;
  for (int i = 0; i < k; ++i) p *= std::max(0.0, static_cast<double>(n - x - i)) / (n - i);
  return p;
}

double Choose(int n, int k) {
  if (k < 0 || k > n) return 0;
  double c = 1;
  for (int i = 1; i <= k; ++i) c = c * (n - k + i) / i;
  return c;
}

// The chance that a token uses none of `x` experts that lie side by side.
double Miss(const model::ModelConfig& m, int x) {
  const int group = m.routed_experts / m.expert_groups;
  const int n = m.groups_per_token * group;
  const int k = m.experts_per_token;
  if (x <= group) {
    const double picked = static_cast<double>(m.groups_per_token) / m.expert_groups;
    return 1 - picked + picked * MissAll(n, x, k);
  }
  const int covered = x / group;
  double miss = 0;
  for (int j = 0; j <= std::min(covered, m.groups_per_token); ++j) {
    miss += Choose(covered, j) * Choose(m.expert_groups - covered, m.groups_per_token - j) /
            Choose(m.expert_groups, m.groups_per_token) * MissAll(n, j * group, k);
  }
  return miss;
}

}  // namespace

Result<Spread> SpreadOf(const model::ModelConfig& m, int expert_parallel, int gpus_per_node) {
  if (m.routed_experts == 0) {
    if (expert_parallel == 1) return Spread{};
    return Fail(fmt::format("the model has no experts to spread over {} GPUs", expert_parallel));
  }
  if (m.routed_experts % expert_parallel != 0) {
    return Fail(fmt::format("{} GPUs do not divide the model's {} routed experts", expert_parallel,
                            m.routed_experts));
  }
  Spread spread;
  spread.gpus_per_node = std::min(expert_parallel, gpus_per_node);
  if (expert_parallel % spread.gpus_per_node != 0) {
    return Fail(
        fmt::format("{} GPUs do not fill whole nodes of {}", expert_parallel, gpus_per_node));
  }
  spread.nodes = expert_parallel / spread.gpus_per_node;
  const int per_gpu = m.routed_experts / expert_parallel;
  const int per_node = m.routed_experts / spread.nodes;
  const int group = m.routed_experts / m.expert_groups;
  for (const int x : {per_gpu, per_node}) {
    if (x <= group ? group % x != 0 : x % group != 0) {
      return Fail(
          fmt::format("{} experts side by side do not line up with expert groups of {}", x, group));
    }
  }
  spread.token_nodes = spread.nodes * (1 - Miss(m, per_node));
  spread.token_gpus = expert_parallel * (1 - Miss(m, per_gpu));
  return spread;
}

}  // namespace pipescope::costs
