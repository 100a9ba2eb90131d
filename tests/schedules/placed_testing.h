// Random problems of any placement, and what must hold of every order for one.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "schedules/optimize/placed_problem.h"
#include "tests/schedules/testing.h"

namespace pipescope::schedules {

class RandomProblems {
 public:
  explicit RandomProblems(uint32_t seed) : engine_(seed) {}
  int Integer(int least, int most) {
    return least + static_cast<int>(engine_() % static_cast<uint32_t>(most - least + 1));
  }
  CostList List(int stages) {
    CostList list(Integer(0, 1) == 0 ? 1 : static_cast<size_t>(stages));
    for (double& cost : list) cost = Integer(1, 160) / 8.0;
    return list;
  }
  // Of I's that free memory, and of I's that need more while they run, as under recomputation.
  MemoryDeltas Memory() {
    const double until_backward = Integer(1, 8) / 4.0, until_weight = Integer(0, 10) / 4.0;
    return {until_backward, until_weight - until_backward, -until_weight,
            Integer(0, 1) == 0 ? 0 : until_weight};
  }
  Profile Make(int ranks, int stages) {
    Profile profile;
    profile.costs = {
        .forward = List(stages), .input_grad = List(stages), .weight_grad = List(stages)};
    if (Integer(0, 1) == 0) profile.costs.backward = List(stages);
    if (Integer(0, 1) == 0) profile.costs.overlapped = List(stages);
    profile.costs.comm = Integer(0, 1) * Integer(0, 40) / 8.0;
    profile.goal = Integer(0, 1) == 0 ? Goal::kSpan : Goal::kMakespan;
    profile.memory.clear();
    for (int s = 0; s < stages; ++s) profile.memory.push_back(Memory());
    for (int r = 0; r < ranks; ++r) profile.limit.push_back(Integer(16, 16 + 8 * ranks) / 4.0);
    return profile;
  }
  PlacedProblem Problem(int most_ranks, int most_microbatches) {
    const auto placement = static_cast<Placement>(Integer(0, 2));
    const int even = placement == Placement::kBidirectional ? 2 : 1;
    const int ranks = even * Integer(1, most_ranks / even);
    const int microbatches = even * Integer(1, most_microbatches / even);
    const bool pairs = placement != Placement::kLinear && Integer(0, 1) == 0;
    const int stages = placement == Placement::kV ? 2 * ranks : ranks;
    auto problem = MakePlaced(Make(ranks, stages), ranks, microbatches, placement, pairs);
    EXPECT_TRUE(problem) << problem.error().message;
    return *problem;
  }

 private:
  std::mt19937 engine_;
};

// The memory rule a second time, from the tokens.
double PeakOf(const PlacedProblem& problem, const std::vector<Action>& actions);

double ValueOf(const PlacedProblem& problem, const Schedule& schedule);

// Legal, within memory, and of the value it claims by the rules of schedules/evaluate.h; fails the
// test where not.
void ExpectSound(const PlacedProblem& problem, const Placed& placed);

}  // namespace pipescope::schedules
