#include "kernels/transformer/rank_play.h"

#include <chrono>

#include "kernels/executor/thread_seconds.h"

namespace pipescope::transformer {

// What comes between two steps of a lane is of one play: each has a TimedWork of its own.
ActionTimes RankPlay::PlayOnce(bool split) {
  if (!status_) return {};
  TimedWork timed(work_);
  status_ = executor::PlayAlone(rank_, OrderOf(load_, split), handed_, timed);
  if (!status_) crew_.EndFor(status_.error().message);
  if (status_) status_ = timed.Settle();
  return timed.times();
}

void RankPlay::Play(bool split) { (split ? times_.split : times_.whole) = PlayOnce(split); }

void RankPlay::PlayOn(bool split) { PlayOnce(split); }

void RankPlay::StepEnd(const std::function<void()>& meet) {
  const auto worked = [](const auto& work) {
    const double waited = executor::SecondsWaited(), start = executor::ThreadSeconds();
    work();
    return executor::ThreadSeconds() - start - (executor::SecondsWaited() - waited);
  };
  executor::Steps steps = work_.StepEnd();
  std::vector<StepTimes>& end = times_.end;
  double came = worked(meet);
  for (const executor::Step& step : steps.list) {
    const double run = worked([&] {
      if (status_) status_ = step.run();
    });
    const bool takes = end.size() == 1;
    end.push_back({run + (takes ? came : 0), 0});
    if (end.size() == 1) came += worked(meet);
  }
  for (size_t i = 0; i < end.size(); ++i) AskDevice(steps.list[i], end[i]);
}

void RankPlay::AskDevice(const executor::Step& step, StepTimes& times) {
  if (!status_ || step.when == nullptr) return;
  const auto span = step.when();
  if (!span) {
    status_ = Fail(span.error());
    return;
  }
  times.run = std::chrono::duration<double>(span->end - span->start).count();
}

}  // namespace pipescope::transformer
