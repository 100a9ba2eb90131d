#include "tests/schedules/placed_testing.h"

#include <algorithm>

#include "schedules/check.h"
#include "schedules/csv.h"

namespace pipescope::schedules {

double PeakOf(const PlacedProblem& problem, const std::vector<Action>& actions) {
  double held = 0, peak = 0;
  for (const Action& action : actions) {
    const MemoryDeltas& own = problem.memory[action.stage.index()];
    const auto add = [&](double delta) { peak = std::max(peak, held += delta); };
    if (action.kind == ActionKind::kForward) add(own.forward);
    if (action.kind == ActionKind::kInputGrad) {
      peak = std::max(peak, held + own.during_input_grad);
      add(own.input_grad);
    }
    if (action.kind == ActionKind::kWeightGrad) add(own.weight_grad);
    if (action.kind == ActionKind::kBackward) add(-own.forward);
    if (action.kind == ActionKind::kOverlapped) {
      add(own.forward);
      add(-problem.memory[action.backward_stage.index()].forward);
    }
  }
  return peak;
}

double ValueOf(const PlacedProblem& problem, const Schedule& schedule) {
  const Timing timing = Time(schedule, problem.costs);
  return problem.goal == Goal::kSpan ? timing.span : timing.makespan;
}

void ExpectSound(const PlacedProblem& problem, const Placed& placed) {
  const Schedule schedule = ToSchedule(problem, placed.order, "optimized");
  ASSERT_TRUE(Check(schedule).empty()) << ToString(Check(schedule).front()) << placed.from;
  ASSERT_NEAR(ValueOf(problem, schedule), placed.value, 1e-9 * placed.value) << placed.from;
  ASSERT_GE(placed.value, LowerBound(problem) * (1 - 1e-9)) << placed.from;
  for (size_t r = 0; r < problem.limit.size(); ++r) {
    ASSERT_LE(PeakOf(problem, schedule.actions[r]), problem.limit[r] * (1 + 1e-6));
  }
  const auto back = StepsOf(problem, schedule);
  ASSERT_TRUE(back);
  ASSERT_EQ(*back, placed.order);
  const auto read = ParseCsv(ToCsv(schedule), "order.csv");
  ASSERT_TRUE(read);
  ASSERT_EQ(read->schedule.actions, schedule.actions);
}

}  // namespace pipescope::schedules
