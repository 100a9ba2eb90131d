#include "schedules/costs.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

namespace pipescope::schedules {

double Costs::Of(const Action& action) const {
  const int stage = action.stage.value();
  switch (action.kind) {
    case ActionKind::kForward:
      return Forward(stage);
    case ActionKind::kInputGrad:
      return InputGrad(stage);
    case ActionKind::kWeightGrad:
      return WeightGrad(stage);
    case ActionKind::kBackward:
      return Backward(stage);
    case ActionKind::kOverlapped:
      return Overlapped(stage, action.backward_stage.value());
  }
  return 0;
}

bool Costs::Uniform() const {
  return forward.size() == 1 && input_grad.size() == 1 && weight_grad.size() == 1 &&
         backward.size() <= 1 && overlapped.size() <= 1;
}

Status CheckCosts(const Costs& costs, int stages) {
  const CostList comm = {costs.comm};
  const std::pair<const char*, const CostList*> lists[] = {
      {"F", &costs.forward},  {"I", &costs.input_grad},  {"W", &costs.weight_grad},
      {"B", &costs.backward}, {"FB", &costs.overlapped}, {"comm", &comm}};
  for (const auto& [name, given] : lists) {
    const CostList& list = *given;
    const bool may_lack = given == &costs.backward || given == &costs.overlapped;
    if (list.size() > 1 && list.size() != static_cast<size_t>(stages)) {
      return Fail(
          fmt::format("cost {}: a list of {} numbers; expected one number, or one for each "
                      "of the {} stages",
                      name, list.size(), stages));
    }
    if (list.empty() && !may_lack) return Fail(fmt::format("cost {}: is missing", name));
    for (const double value : list) {
      if (!std::isfinite(value) || value < 0 || value > kLargestCost) {
        return Fail(fmt::format("cost {}: {:g}: expected a number from 0 to {:g}", name, value,
                                kLargestCost));
      }
    }
  }
  return {};
}

}  // namespace pipescope::schedules
