#include "kernels/transformer/rank_play.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "kernels/executor/rank_run.h"
#include "kernels/executor/thread_seconds.h"

namespace pipescope::transformer {

// What comes between two steps of a lane is of one play: each has a TimedWork of its own.
ActionTimes RankPlay::PlayOnce(bool split) {
  if (!status_) return {};
  TimedWork timed(work_);
  Status played = executor::PlayAlone(rank_, OrderOf(load_, split), handed_, timed, crew_.post());
  if (played) played = timed.Settle();
  Note(std::move(played));
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
  // Of looks in the two meetings about the first step, but for what meetings themselves take.
  const bool letters = crew_.post() != nullptr;
  double came = 0;
  if (letters) {
    came = -2 * worked(meet);
    came += worked(meet);
  }
  executor::Steps steps = work_.StepEnd();
  std::vector<StepTimes>& end = times_.end;
  for (const executor::Step& step : steps.list) {
    double run = worked([&] {
      if (status_) Note(executor::Call(step));
    });
    if (end.size() == 1) run += std::max(0.0, came);
    end.push_back({run, 0});
    if (end.size() > 1) continue;
    const double met = worked(meet);
    if (letters) came += met;
  }
  for (size_t i = 0; i < end.size(); ++i) AskDevice(steps.list[i], end[i]);
}

void RankPlay::AskDevice(const executor::Step& step, StepTimes& times) {
  if (!status_ || step.when == nullptr) return;
  const auto span = step.when();
  if (!span) {
    Note(Fail(span.error()));
    return;
  }
  times.run = std::chrono::duration<double>(span->end - span->start).count();
}

// Where ranks are processes, the others wait for this one.
void RankPlay::Note(Status status) {
  if (!status) crew_.EndFor(status.error().message);
  status_ = std::move(status);
}

}  // namespace pipescope::transformer
