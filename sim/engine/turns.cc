#include "sim/engine/turns.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <queue>
#include <utility>

#include "sim/base/result.h"
#include "sim/engine/successors.h"

namespace pipescope {
namespace {

class TurnRun {
 public:
  TurnRun(const TaskGraph& graph, Duration wake)
      : graph_(graph), wake_(wake), successors_(graph), waits_(graph.tasks.size(), 0) {
    for (const auto& [before, after] : graph.edges) ++waits_[static_cast<size_t>(after)];
    idle_ = static_cast<int>(graph.capacity[static_cast<size_t>(Resource::kProcessors)]);
    PIPESCOPE_CHECK(idle_ > 0);
    times_.start.resize(graph.tasks.size());
    times_.end.resize(graph.tasks.size());
    times_.released_by.assign(graph.tasks.size(), -1);
  }

  TaskTimes Run() {
    const std::vector<int32_t> waits = waits_;  // others become ready on the way
    for (size_t t = 0; t < waits.size(); ++t) {
      if (waits[t] == 0) MakeReady(static_cast<int32_t>(t), Duration());
    }
    FillIdle(Duration());
    while (!running_.empty()) {
      const auto [end, task] = running_.top();
      running_.pop();
      Finish(task, end);
    }
    PIPESCOPE_CHECK(done_ == graph_.tasks.size());
    return std::move(times_);
  }

 private:
  const TaskTemplate& Of(int32_t task) const {
    const Task& t = graph_.tasks[static_cast<size_t>(task)];
    return graph_.templates[static_cast<size_t>(t.templ)];
  }
  double ProcessorsOf(int32_t task) const {
    return Of(task).rates[static_cast<size_t>(Resource::kProcessors)];
  }
  std::pair<int32_t, timeline::Lane> ThreadOf(int32_t task) const {
    return {graph_.tasks[static_cast<size_t>(task)].rank,
            graph_.labels[static_cast<size_t>(Of(task).label)].lane};
  }

  // It takes neither a processor nor time.
  bool IsOverAtOnce(int32_t task) const {
    return ProcessorsOf(task) <= 0 && Of(task).demand.time == Duration();
  }

  void MakeReady(int32_t task, Duration now) {
    if (ProcessorsOf(task) > 0) {
      ready_.push_back(task);
    } else {
      Start(task, now, Of(task).demand.time);
    }
  }

  void Start(int32_t task, Duration start, Duration time) {
    times_.start[static_cast<size_t>(task)] = start;
    running_.emplace(start + time, task);
  }

  void StartOnProcessor(Duration start) {
    const int32_t task = ready_.front();
    ready_.pop_front();
    const double time =
        static_cast<double>(Of(task).demand.time.picoseconds()) * ProcessorsOf(task);
    Start(task, start, Duration(std::llround(time)));
  }

  void FillIdle(Duration now) {
    for (; idle_ > 0 && !ready_.empty(); --idle_) StartOnProcessor(now + wake_);
  }

  // With all that is over at once after it: whom that makes ready comes before the thread itself.
  void Finish(int32_t task, Duration now) {
    const bool had_processor = ProcessorsOf(task) > 0;
    std::vector<int32_t> own;  // what its thread goes on with: behind those that it made ready
    std::vector<int32_t> over = {task};
    for (size_t i = 0; i < over.size(); ++i) {
      const int32_t ended = over[i];
      times_.end[static_cast<size_t>(ended)] = now;
      ++done_;
      for (const int32_t next : successors_.Of(ended)) {
        if (--waits_[static_cast<size_t>(next)] > 0) continue;
        times_.released_by[static_cast<size_t>(next)] = ended;
        if (had_processor && i == 0 && ProcessorsOf(next) > 0 && ThreadOf(next) == ThreadOf(task)) {
          own.push_back(next);
        } else if (IsOverAtOnce(next)) {
          times_.start[static_cast<size_t>(next)] = now;
          over.push_back(next);
        } else {
          MakeReady(next, now);
        }
      }
    }
    FillIdle(now);
    for (const int32_t next : own) MakeReady(next, now);
    if (!had_processor) return;
    if (ready_.empty()) {
      ++idle_;
    } else {
      StartOnProcessor(now);
    }
  }

  using End = std::pair<Duration, int32_t>;

  const TaskGraph& graph_;
  const Duration wake_;
  const Successors successors_;
  std::vector<int32_t> waits_;
  std::deque<int32_t> ready_;
  int idle_ = 0;
  std::priority_queue<End, std::vector<End>, std::greater<>> running_;
  TaskTimes times_;
  size_t done_ = 0;
};

}  // namespace

TaskTimes RunByTurns(const TaskGraph& graph, Duration wake) { return TurnRun(graph, wake).Run(); }

}  // namespace pipescope
