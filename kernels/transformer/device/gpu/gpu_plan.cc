#include "kernels/transformer/device/gpu/gpu_plan.h"

#include <algorithm>
#include <map>

namespace pipescope::transformer::device {
namespace {

std::string Count(int count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

// How many GPUs there are to use.
Result<int> Usable(int there, int limit) {
  if (there < 1) return Fail("no GPU: expected one");
  if (limit <= there) return limit > 0 ? limit : there;
  return Fail("--gpus: '" + std::to_string(limit) + "': expected at most " + Count(there, "GPU") +
              ", which there are here");
}

}  // namespace

Result<GpuPlan> PlanGpus(int ranks, int there, int limit) {
  const auto usable = Usable(there, limit);
  if (!usable) return Fail(usable.error());
  if (ranks < 1) return Fail("ranks on GPUs: expected at least one");
  GpuPlan plan;
  plan.gpus = std::min(*usable, ranks);
  std::vector<int> on(static_cast<size_t>(plan.gpus), 0);
  for (int rank = 0; rank < ranks; ++rank) {
    const int gpu = static_cast<int>(int64_t{rank} * plan.gpus / ranks);
    plan.ranks.push_back({gpu, on[static_cast<size_t>(gpu)]++});
  }
  plan.shares = *std::max_element(on.begin(), on.end());
  return plan;
}

Result<int> PlanOwnGpu(int local, int locals, int there, int limit) {
  if (there == 1 && limit <= 1) return 0;  // two processes that see the same one: CheckOwnGpus
  const auto usable = Usable(there, limit);
  if (!usable) return Fail(usable.error());
  if (locals <= *usable) return local;
  return Fail(std::to_string(locals) + " processes on a machine with " + Count(*usable, "GPU") +
              " to use: expected a GPU for each; ranks of one process may share some");
}

Status CheckOwnGpus(const std::vector<std::string>& ids) {
  std::map<std::string, size_t> ranks;
  for (size_t rank = 0; rank < ids.size(); ++rank) {
    const auto [at, is_new] = ranks.emplace(ids[rank], rank);
    if (is_new) continue;
    return Fail("ranks " + std::to_string(at->second) + " and " + std::to_string(rank) +
                " are processes on the same GPU, " + ids[rank] +
                ": expected a GPU for each; ranks of one process may share some");
  }
  return {};
}

}  // namespace pipescope::transformer::device
