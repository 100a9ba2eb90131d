#include "kernels/transformer/timed_work.h"

namespace pipescope::transformer {

using executor::SecondsWaited;
using executor::ThreadSeconds;

executor::Steps TimedWork::Plan(const schedules::Action& action, executor::Ports& ports) {
  executor::Steps steps = work_.Plan(action, ports);
  // Of a list of lists the inner ones stay where they are.
  auto& times =
      times_[{static_cast<int>(action.kind), action.stage.value()}].emplace_back(steps.list.size());
  for (size_t i = 0; i < steps.list.size(); ++i) {
    if (steps.list[i].when != nullptr) {
      asked_.push_back({&times[i], steps.list[i].lane, steps.list[i].when});
      continue;
    }
    steps.list[i].run = [this, &of_step = times[i],
                         &last = last_end_[static_cast<size_t>(steps.list[i].lane)],
                         run = std::move(steps.list[i].run)] {
      const double waited = SecondsWaited(), start = ThreadSeconds();
      Status status = run();
      const double end = ThreadSeconds();
      of_step.run = end - start - clock_ - (SecondsWaited() - waited);
      of_step.before = last > 0 ? start - last - clock_ : 0;
      last = end;
      return status;
    };
  }
  return steps;
}

Status TimedWork::Settle() {
  using Seconds = std::chrono::duration<double>;
  std::array<std::chrono::steady_clock::time_point, timeline::kLanes> last = {};
  for (const Asked& asked : asked_) {
    const auto span = asked.when();
    if (!span) return Fail(span.error());
    auto& end = last[static_cast<size_t>(asked.lane)];
    asked.times->run = Seconds(span->end - span->start).count();
    if (end.time_since_epoch().count() > 0) {
      asked.times->before = Seconds(span->start - end).count();
    }
    end = span->end;
  }
  asked_.clear();
  return {};
}

}  // namespace pipescope::transformer
