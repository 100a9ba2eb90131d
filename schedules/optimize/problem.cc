#include "schedules/optimize/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "schedules/family.h"

namespace pipescope::schedules {
namespace {

constexpr double kRounding = 1e-9;  // relative; sums of thousands of deltas stay well below

Status CheckMemory(const Problem& problem) {
  const auto ranks = static_cast<size_t>(problem.ranks);
  if (problem.memory.size() != ranks || problem.limit.size() != ranks) {
    return Fail(fmt::format("memory: expected deltas and a limit for each of {} ranks", ranks));
  }
  for (size_t r = 0; r < ranks; ++r) {
    const MemoryDeltas& memory = problem.memory[r];
    const double sum = memory.forward + memory.input_grad + memory.weight_grad;
    if (!(memory.forward > 0 && memory.input_grad <= 0 && memory.weight_grad <= 0) ||
        !(std::abs(sum) <= kRounding * memory.forward)) {
      return Fail(fmt::format(
          "memory of rank {}: F {:g}, I {:g}, W {:g}; expected F above 0, I and W not, and sum 0",
          r, memory.forward, memory.input_grad, memory.weight_grad));
    }
    if (!(LimitOf(problem, r) >= memory.forward)) {
      return Fail(
          fmt::format("memory limit of rank {}: {:g} does not hold one forward; expected at "
                      "least {:g}",
                      r, problem.limit[r], memory.forward));
    }
  }
  return {};
}

double RoundTrip(const Problem& problem, int rank) {  // from F's start to I's end
  double trip = 2 * problem.costs.comm * (problem.ranks - 1 - rank);
  for (int s = rank; s < problem.ranks; ++s) {
    trip += problem.costs.Forward(s) + problem.costs.InputGrad(s);
  }
  return trip;
}

}  // namespace

Status CheckProblem(const Problem& problem) {
  if (problem.ranks < 1) return BadOption("--ranks", problem.ranks, "expected at least 1");
  if (problem.microbatches < 1) {
    return BadOption("--microbatches", problem.microbatches, "expected at least 1");
  }
  const int64_t actions = int64_t{3} * problem.ranks * problem.microbatches;
  if (actions > kMostOptimizedActions) {
    return BadOption("--microbatches", problem.microbatches,
                     fmt::format("with {} ranks that is {} actions; at most {} are optimized",
                                 problem.ranks, actions, kMostOptimizedActions));
  }
  if (auto ok = CheckCosts(problem.costs, problem.ranks); !ok) return ok;
  return CheckMemory(problem);
}

double DeltaOf(const MemoryDeltas& memory, ActionKind kind) {
  if (kind == ActionKind::kForward) return memory.forward;
  return kind == ActionKind::kInputGrad ? memory.input_grad : memory.weight_grad;
}

double LimitOf(const Problem& problem, size_t rank) {
  return problem.limit[rank] + kRounding * (problem.memory[rank].forward + problem.limit[rank]);
}

bool FitsMemory(const Problem& problem, size_t rank, const Kinds& kinds) {
  const double limit = LimitOf(problem, rank);
  double held = 0;
  for (const ActionKind kind : kinds) {
    held += DeltaOf(problem.memory[rank], kind);
    if (held > limit) return false;
  }
  return true;
}

bool FitsMemory(const Problem& problem, const KindOrder& order) {
  for (size_t r = 0; r < order.size(); ++r) {
    if (!FitsMemory(problem, r, order[r])) return false;
  }
  return true;
}

double LowerBound(const Problem& problem) {
  const Costs& costs = problem.costs;
  double bound = 0;
  for (int s = 0; s < problem.ranks; ++s) {
    const auto r = static_cast<size_t>(s);
    const double f = costs.Forward(s), i = costs.InputGrad(s), w = costs.WeightGrad(s);
    const double work = problem.microbatches * (f + i + w);
    const double limit = LimitOf(problem, r);
    const double trip = RoundTrip(problem, s);
    const MemoryDeltas& memory = problem.memory[r];
    const double in_flight =
        std::min<double>(problem.microbatches, std::floor(limit / memory.forward));
    const double wait = std::max(0.0, trip - i - in_flight * f);
    const double held = memory.forward * trip + (memory.forward + memory.input_grad) * w;
    bound = std::max({bound, work + wait, problem.microbatches * held / limit});
  }
  return bound;
}

Schedule ToSchedule(const Problem& problem, const KindOrder& order, const std::string& name) {
  Schedule schedule = EmptySchedule(name, {problem.ranks, problem.microbatches, {}}, problem.ranks);
  for (size_t r = 0; r < order.size(); ++r) {
    int next[3] = {};
    for (const ActionKind kind : order[r]) {
      schedule.actions[r].push_back(
          Make(kind, static_cast<int>(r), next[static_cast<size_t>(kind)]++));
    }
  }
  return schedule;
}

KindOrder KindsOf(const Schedule& schedule) {
  KindOrder order(schedule.actions.size());
  for (size_t r = 0; r < order.size(); ++r) {
    for (const Action& action : schedule.actions[r]) order[r].push_back(action.kind);
  }
  return order;
}

}  // namespace pipescope::schedules
