#include "schedules/optimize/placed_problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>

#include "schedules/family.h"
#include "schedules/optimize/problem.h"
#include "schedules/token.h"

namespace pipescope::schedules {
namespace {

using enum ActionKind;

constexpr double kRounding = 1e-9;  // relative

// Follows one rank through its steps: what is legal, and what is held.
class Ledger {
 public:
  Ledger(const PlacedProblem& problem, int rank) : problem_(problem), rank_(rank) {}

  bool Take(Step step) {
    const size_t s = step.slot;
    if (step.kind == kForward) return Forward(s);
    if (step.kind == kOverlapped) return Forward(s) && Whole(1 - s);
    if (step.kind == kBackward) return Whole(s);
    if (step.kind == kWeightGrad) {
      if (waiting_[s] == 0) return false;
      --waiting_[s];
      held_ += Of(s).weight_grad;
      return true;
    }
    if (inputs_[s] >= forwards_[s]) return false;
    ++inputs_[s];
    ++waiting_[s];
    peak_ = std::max(peak_, held_ + Of(s).during_input_grad);
    held_ += Of(s).input_grad;
    peak_ = std::max(peak_, held_);
    return true;
  }

  bool Complete() const {
    for (int s = 0; s < problem_.slots(); ++s) {
      const auto at = static_cast<size_t>(s);
      if (inputs_[at] != problem_.of_slot() || waiting_[at] != 0) return false;
    }
    return true;
  }

  double peak() const { return peak_; }

 private:
  const MemoryDeltas& Of(size_t slot) const {
    return problem_.memory_of(rank_, static_cast<int>(slot));
  }
  bool Forward(size_t s) {
    if (forwards_[s] >= problem_.of_slot()) return false;
    ++forwards_[s];
    held_ += Of(s).forward;
    peak_ = std::max(peak_, held_);
    return true;
  }
  bool Whole(size_t s) {
    if (inputs_[s] >= forwards_[s]) return false;
    ++inputs_[s];
    held_ -= Of(s).forward;
    return true;
  }

  const PlacedProblem& problem_;
  int rank_;
  std::array<int, 2> forwards_ = {}, inputs_ = {}, waiting_ = {};
  double held_ = 0, peak_ = 0;
};

template <typename T>
std::vector<T> Spread(const std::vector<T>& list, int count) {
  return list.size() == 1 ? std::vector<T>(static_cast<size_t>(count), list.front()) : list;
}

// One micro-batch after the other must fit.
Status CheckLimits(const PlacedProblem& problem) {
  Steps serial;
  for (int slot = 0; slot < problem.slots(); ++slot) {
    serial.push_back({kForward, static_cast<uint8_t>(slot)});
  }
  for (int slot = problem.slots(); slot-- > 0;) {
    serial.push_back({kBackward, static_cast<uint8_t>(slot)});
  }
  for (int rank = 0; rank < problem.ranks; ++rank) {
    const double least = PeakMemory(problem, rank, serial);
    const double limit = problem.limit[static_cast<size_t>(rank)];
    if (limit >= least * (1 - kRounding)) continue;
    return Fail(fmt::format(
        "--memory-limit {:g}: rank {} cannot hold one micro-batch; expected at least {:g}", limit,
        rank, least));
  }
  return {};
}

double LeastWork(const PlacedProblem& problem, int rank) {
  const Costs& costs = problem.costs;
  double work = 0, saved = 0;
  for (int slot = 0; slot < problem.slots(); ++slot) {
    const int stage = problem.stage(rank, slot), other = problem.stage(rank, 1 - slot);
    const double whole =
        std::min(costs.Backward(stage), costs.InputGrad(stage) + costs.WeightGrad(stage));
    work += costs.Forward(stage) + whole;
    if (!problem.pairs) continue;
    const double apart =
        costs.Forward(stage) +
        std::min(costs.Backward(other), costs.InputGrad(other) + costs.WeightGrad(other));
    saved += std::max(0.0, apart - costs.Overlapped(stage, other));
  }
  return problem.of_slot() * (work - saved);
}

double FirstInput(const PlacedProblem& problem, int rank) {
  const auto way = [&](int hops) {
    double time = problem.costs.comm * hops;
    for (int s = 0; s < hops; ++s) time += problem.costs.Forward(s);
    return time;
  };
  const double near = way(rank);
  if (problem.placement != Placement::kBidirectional) return near;
  return std::min(near, way(problem.ranks - 1 - rank));
}

}  // namespace

Result<PlacedProblem> MakePlaced(const Profile& profile, int64_t ranks, int64_t microbatches,
                                 Placement placement, bool pairs) {
  PlacedProblem problem;
  problem.placement = placement;
  const int64_t actions = 3 * ranks * microbatches * problem.slots();
  if (actions > kMostOptimizedActions) {
    return BadOption("--microbatches", microbatches,
                     fmt::format("with {} ranks that is {} actions; at most {} are optimized",
                                 ranks, actions, kMostOptimizedActions));
  }
  problem.ranks = static_cast<int>(ranks);
  problem.microbatches = static_cast<int>(microbatches);
  if (placement == Placement::kBidirectional && (ranks % 2 != 0 || microbatches % 2 != 0)) {
    return BadOption(ranks % 2 != 0 ? "--ranks" : "--microbatches",
                     ranks % 2 != 0 ? ranks : microbatches,
                     "both directions take half; expected an even number");
  }
  if (auto ok = CheckProfile(profile, problem.ranks, problem.stages()); !ok) {
    return Fail(ok.error());
  }
  problem.goal = profile.goal;
  problem.pairs = pairs;
  problem.costs = profile.costs;
  problem.memory = Spread(profile.memory, problem.stages());
  problem.limit = Spread(profile.limit, problem.ranks);
  if (auto ok = CheckLimits(problem); !ok) return Fail(ok.error());
  return problem;
}

bool Fits(const PlacedProblem& problem, int rank, const Steps& steps) {
  Ledger ledger(problem, rank);
  const double limit = problem.limit[static_cast<size_t>(rank)];
  const double most = limit + kRounding * (limit + problem.memory_of(rank, 0).forward);
  for (const Step step : steps) {
    if (step.kind == kOverlapped && !problem.pairs) return false;
    if (!ledger.Take(step) || ledger.peak() > most) return false;
  }
  return ledger.Complete();
}

double PeakMemory(const PlacedProblem& problem, int rank, const Steps& steps) {
  Ledger ledger(problem, rank);
  for (const Step step : steps) ledger.Take(step);
  return ledger.peak();
}

double LowerBound(const PlacedProblem& problem) {
  double bound = 0;
  for (int rank = 0; rank < problem.ranks; ++rank) {
    const double wait = problem.goal == Goal::kMakespan ? FirstInput(problem, rank) : 0;
    bound = std::max(bound, wait + LeastWork(problem, rank));
  }
  return bound;
}

Schedule ToSchedule(const PlacedProblem& problem, const StepOrder& order, const std::string& name) {
  Schedule schedule = EmptySchedule(name, {problem.ranks, problem.microbatches}, problem.stages());
  for (int rank = 0; rank < problem.ranks; ++rank) {
    auto& actions = schedule.actions[static_cast<size_t>(rank)];
    std::array<int, 2> forwards = {problem.first_microbatch(0), problem.first_microbatch(1)};
    std::array<int, 2> backwards = forwards;
    std::array<std::deque<int>, 2> waiting;
    for (const Step step : order[static_cast<size_t>(rank)]) {
      const size_t s = step.slot;
      const int stage = problem.stage(rank, step.slot);
      if (step.kind == kForward) {
        actions.push_back(Make(kForward, stage, forwards[s]++));
      } else if (step.kind == kOverlapped) {
        actions.push_back(
            MakePair(stage, forwards[s]++, problem.stage(rank, 1 - step.slot), backwards[1 - s]++));
      } else if (step.kind == kWeightGrad) {
        actions.push_back(Make(kWeightGrad, stage, waiting[s].front()));
        waiting[s].pop_front();
      } else {
        if (step.kind == kInputGrad) waiting[s].push_back(backwards[s]);
        actions.push_back(Make(step.kind, stage, backwards[s]++));
      }
    }
  }
  return schedule;
}

Steps StepsOf(const PlacedProblem& problem, int rank, const std::vector<Action>& actions) {
  Steps steps;
  for (const Action& action : actions) {
    const bool second = problem.placement == Placement::kBidirectional
                            ? action.microbatch.value() >= problem.of_slot()
                            : action.stage.value() != rank;
    steps.push_back({action.kind, static_cast<uint8_t>(second ? 1 : 0)});
  }
  return steps;
}

std::optional<StepOrder> StepsOf(const PlacedProblem& problem, const Schedule& schedule) {
  if (schedule.ranks != problem.ranks || schedule.stages != problem.stages() ||
      schedule.microbatches != problem.microbatches) {
    return {};
  }
  StepOrder order;
  for (size_t r = 0; r < schedule.actions.size(); ++r) {
    order.push_back(StepsOf(problem, static_cast<int>(r), schedule.actions[r]));
    if (!Fits(problem, static_cast<int>(r), order[r])) return {};
  }
  // Whatever the steps cannot say would come out differently.
  if (ToSchedule(problem, order, schedule.name).actions != schedule.actions) return {};
  return order;
}

}  // namespace pipescope::schedules
