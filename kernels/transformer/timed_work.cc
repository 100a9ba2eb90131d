#include "kernels/transformer/timed_work.h"

namespace pipescope::transformer {

using executor::SecondsWaited;
using executor::ThreadSeconds;

executor::Steps TimedWork::Plan(const schedules::Action& action, executor::Ports& ports) {
  executor::Steps steps = work_.Plan(action, ports);
  auto& times = times_[{static_cast<int>(action.kind), action.stage.value()}];
  times.resize(steps.list.size());
  for (size_t i = 0; i < steps.list.size(); ++i) {
    steps.list[i].run = [this, &of_step = times[i],
                         &last = last_end_[static_cast<size_t>(steps.list[i].lane)],
                         run = std::move(steps.list[i].run)] {
      const double waited = SecondsWaited(), start = ThreadSeconds();
      Status status = run();
      const double end = ThreadSeconds();
      of_step.run += end - start - clock_ - (SecondsWaited() - waited);
      of_step.before += last > 0 ? start - last - clock_ : 0;
      ++of_step.count;
      last = end;
      return status;
    };
  }
  return steps;
}

}  // namespace pipescope::transformer
