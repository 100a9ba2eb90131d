#include "sim/engine/make_timeline.h"

#include <algorithm>

namespace pipescope {

timeline::Timeline MakeTimeline(TaskGraph&& graph, const TaskTimes& times) {
  timeline::Timeline t;
  t.ranks = graph.ranks;
  t.operations.resize(graph.tasks.size());
  for (size_t i = 0; i < graph.tasks.size(); ++i) {
    const Task& task = graph.tasks[i];
    timeline::Operation& op = t.operations[i];
    op.rank = task.rank;
    op.label = graph.templates[static_cast<size_t>(task.templ)].label;
    op.action = task.action;
    op.released_by = times.released_by[i];
    op.start = times.start[i];
    op.end = times.end[i];
    t.end = std::max(t.end, op.end);
  }
  t.actions = std::move(graph.actions);
  for (timeline::ActionSpan& span : t.actions) {
    span.start = Duration::Max();
    for (int32_t i = span.first; i < span.first + span.count; ++i) {
      span.start = std::min(span.start, t.operations[static_cast<size_t>(i)].start);
      span.end = std::max(span.end, t.operations[static_cast<size_t>(i)].end);
    }
    t.pipeline_end = std::max(t.pipeline_end, span.end);
  }
  t.labels = std::move(graph.labels);
  t.rank_actions = std::move(graph.rank_actions);
  t.messages = std::move(graph.messages);
  return t;
}

}  // namespace pipescope
