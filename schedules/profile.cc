#include "schedules/profile.h"

#include <fmt/format.h>

#include <cmath>

namespace pipescope::schedules {
namespace {

Status CheckDeltas(const MemoryDeltas& memory) {
  const double sum = memory.forward + memory.input_grad + memory.weight_grad;
  const bool finite = std::isfinite(sum) && std::isfinite(memory.during_input_grad);
  if (finite && memory.forward > 0 && memory.weight_grad <= 0 && memory.during_input_grad >= 0 &&
      std::abs(sum) <= 1e-9 * (memory.forward - memory.weight_grad)) {
    return {};
  }
  return Fail(fmt::format("memory: F {:g}, I {:g}, W {:g}; expected F above 0, W not, and sum 0",
                          memory.forward, memory.input_grad, memory.weight_grad));
}

bool Fits(size_t given, int count) { return given == 1 || given == static_cast<size_t>(count); }

}  // namespace

Status CheckProfile(const Profile& profile, int ranks, int stages) {
  if (auto ok = CheckCosts(profile.costs, stages); !ok) return ok;
  if (!Fits(profile.memory.size(), stages)) {
    return Fail(fmt::format("memory of {} stages; expected one for all or {}",
                            profile.memory.size(), stages));
  }
  for (const MemoryDeltas& memory : profile.memory) {
    if (auto ok = CheckDeltas(memory); !ok) return ok;
  }
  if (!profile.limit.empty() && !Fits(profile.limit.size(), ranks)) {
    return Fail(fmt::format("--memory-limit: {} numbers; expected one, or one for each of {} ranks",
                            profile.limit.size(), ranks));
  }
  for (const double limit : profile.limit) {
    if (limit > 0 && std::isfinite(limit)) continue;
    return Fail(fmt::format("--memory-limit {:g}: expected a number above 0", limit));
  }
  return {};
}

}  // namespace pipescope::schedules
