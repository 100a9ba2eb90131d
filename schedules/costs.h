// What the actions of a schedule cost at fidelity `schedule`: a duration a kind of action, per
// chunk (one stage of one micro-batch), and a latency for every edge between two ranks.
//
// A duration is one number for all stages, or a list with one number a stage. Units are the
// user's: nothing here depends on them.
//
//   B(s)     = I(s) + W(s)    where not given
//   FB(s, t) = F(s) + B(t)    where not given; a given list is indexed by the forward's stage s
//
// Examples: "F=1,I=1,W=1,FB=2.5,comm=0.1" on a command line; in a YAML or JSON file
//   F: [10, 11, 11, 14]
//   I: 12
//   W: 8
//   comm: 1
#pragma once

#include <string>
#include <vector>

#include "schedules/schedule.h"
#include "sim/base/result.h"

namespace pipescope::schedules {

// Sums of millions of these stay exact enough, and finite.
inline constexpr double kLargestCost = 1e15;

using CostList = std::vector<double>;  // of one number, or of one a stage

struct Costs {
  CostList forward = {1};      // F
  CostList input_grad = {1};   // I
  CostList weight_grad = {1};  // W
  CostList backward = {};      // B; empty: I + W
  CostList overlapped = {};    // FB; empty: F + B
  double comm = 0;

  // Stages are within the lists' lengths: see CheckCosts.
  double Forward(int stage) const { return At(forward, stage); }
  double InputGrad(int stage) const { return At(input_grad, stage); }
  double WeightGrad(int stage) const { return At(weight_grad, stage); }
  double Backward(int stage) const {
    return backward.empty() ? InputGrad(stage) + WeightGrad(stage) : At(backward, stage);
  }
  double Overlapped(int stage, int backward_stage) const {
    return overlapped.empty() ? Forward(stage) + Backward(backward_stage) : At(overlapped, stage);
  }
  double Of(const Action& action) const;

  // True where no list tells stages apart.
  bool Uniform() const;

 private:
  static double At(const CostList& list, int stage) {
    return list.size() == 1 ? list.front() : list[static_cast<size_t>(stage)];
  }
};

// Fails where a list is neither of one number nor of one a stage, or a number is negative, not
// finite or above 1e15.
Status CheckCosts(const Costs& costs, int stages);

// "F=1,I=1" (what holds a '='), or else the path of a JSON or YAML file. Lists' lengths are not
// checked, since the stages are not known here.
Result<Costs> ReadCosts(const std::string& text_or_path);

}  // namespace pipescope::schedules
