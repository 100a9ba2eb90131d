#include "sim/engine/engine.h"

#include <algorithm>
#include <queue>
#include <tuple>

#include "sim/base/result.h"
#include "sim/engine/fluid.h"
#include "sim/engine/successors.h"

namespace pipescope {
namespace {

struct Event {
  int64_t time;
  int32_t task;
  int32_t slot;
  uint32_t version;

  friend bool operator>(const Event& a, const Event& b) {
    return std::tie(a.time, a.task) > std::tie(b.time, b.task);
  }
};

class FluidRun {
 public:
  FluidRun(const TaskGraph& graph, std::span<const TaskTemplate> templates)
      : graph_(graph), successors_(graph), set_(graph, templates), waits_(graph.tasks.size(), 0) {
    for (const auto& [before, after] : graph.edges) ++waits_[static_cast<size_t>(after)];
    times_.start.resize(graph.tasks.size());
    times_.end.resize(graph.tasks.size());
    times_.released_by.assign(graph.tasks.size(), -1);
  }

  TaskTimes Run() {
    for (size_t t = 0; t < waits_.size(); ++t) {
      if (waits_[t] == 0) Start(static_cast<int32_t>(t), 0);
    }
    while (!queue_.empty()) {
      const Event event = queue_.top();
      queue_.pop();
      const Running& run = set_.running(event.slot);
      if (run.task != event.task || run.version != event.version) continue;
      Finish(event);
    }
    PIPESCOPE_CHECK(done_ == graph_.tasks.size());
    return std::move(times_);
  }

 private:
  void Start(int32_t task, int64_t now) {
    times_.start[static_cast<size_t>(task)] = Duration(now);
    set_.Add(task, now, changed_);
    Requeue();
  }

  void Finish(const Event& event) {
    times_.end[static_cast<size_t>(event.task)] = Duration(event.time);
    ++done_;
    set_.Remove(event.slot, event.time, changed_);
    Requeue();
    for (const int32_t next : successors_.Of(event.task)) {
      if (--waits_[static_cast<size_t>(next)] > 0) continue;
      times_.released_by[static_cast<size_t>(next)] = event.task;
      Start(next, event.time);
    }
  }

  void Requeue() {
    for (const int32_t slot : changed_) {
      const Running& run = set_.running(slot);
      if (run.task >= 0) queue_.push({run.finish, run.task, slot, run.version});
    }
    changed_.clear();
  }

  const TaskGraph& graph_;
  Successors successors_;
  FluidSet set_;
  std::vector<int32_t> waits_;
  std::vector<int32_t> changed_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> queue_;
  TaskTimes times_;
  size_t done_ = 0;
};

}  // namespace

TaskTimes RunFluid(const TaskGraph& graph) { return RunFluid(graph, graph.templates); }

TaskTimes RunFluid(const TaskGraph& graph, std::span<const TaskTemplate> templates) {
  PIPESCOPE_CHECK(templates.size() == graph.templates.size());
  return FluidRun(graph, templates).Run();
}

}  // namespace pipescope
