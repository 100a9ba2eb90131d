#include "sim/replay/replay.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "sim/engine/engine.h"
#include "sim/lowering/task_graph.h"

namespace pipescope::replay {
namespace {

constexpr Duration kLongest = Duration(Duration::Max().picoseconds() / 2);  // the engine's clock

// Tasks of one rank that use nothing but time; equal lengths share a template.
class GraphBuilder {
 public:
  GraphBuilder() {
    graph_.ranks = 1;
    graph_.capacity.fill(1);
    graph_.labels.push_back({"replayed"});
  }

  int32_t Task(Duration length) {
    const auto [at, is_new] =
        templates_.try_emplace(length.picoseconds(), static_cast<int32_t>(graph_.templates.size()));
    if (is_new) {
      graph_.templates.emplace_back();
      graph_.templates.back().demand.time = length;
    }
    graph_.tasks.push_back({0, 0, at->second, -1});
    total_ += length;
    return static_cast<int32_t>(graph_.tasks.size() - 1);
  }

  void Edge(int32_t before, int32_t after) { graph_.edges.emplace_back(before, after); }

  // `after` starts a delay after `before` has ended.
  void Edge(int32_t before, int32_t after, Duration delay) {
    const int32_t pause = Task(delay);
    Edge(before, pause);
    Edge(pause, after);
  }

  const TaskGraph& graph() const { return graph_; }
  // One after the other, all tasks would take no longer.
  Duration total() const { return total_; }

 private:
  TaskGraph graph_;
  std::unordered_map<int64_t, int32_t> templates_;  // by length
  Duration total_;
};

Duration Times(Duration length, double scale) {
  return scale == 1 ? length : Seconds(length.seconds() * scale);
}

Duration Span(const std::vector<trace::DeviceOperation>& operations) {
  Duration first = Duration::Max(), last;
  for (const trace::DeviceOperation& op : operations) {
    first = std::min(first, op.start);
    last = std::max(last, op.end());
  }
  return last - first;
}

void AddHost(const Dependencies& found, const Scales& scales, const std::vector<int32_t>& start,
             GraphBuilder& builder) {
  int32_t last = -1;
  for (const HostStep& step : found.host) {
    const int32_t self = builder.Task(Times(step.work, scales.host));
    if (last >= 0) builder.Edge(last, self);
    if (step.waits_for >= 0) builder.Edge(step.waits_for, self);
    if (step.launches_it) {
      const Duration delay = found.delay[static_cast<size_t>(Cause::kLaunch)];
      builder.Edge(self, start[static_cast<size_t>(step.operation)], Times(delay, scales.host));
    }
    last = self;
  }
}

// A task for each operation, by its index. Returns the tasks that their starts are.
std::vector<int32_t> AddOperations(const trace::Trace& trace, const Dependencies& found,
                                   const Scales& scales, GraphBuilder& builder) {
  const std::vector<trace::OperationClass> classes = trace::Classify(trace);
  std::vector<Duration> work;
  for (const trace::DeviceOperation& op : trace.operations) work.push_back(op.length);
  for (const Turn& turn : found.turns) work[static_cast<size_t>(turn.after)] = turn.work;
  for (size_t i = 0; i < work.size(); ++i) {
    builder.Task(Times(work[i], scales.of_class[static_cast<size_t>(classes[i])]));
  }
  std::vector<int32_t> start(work.size());
  std::iota(start.begin(), start.end(), 0);
  // What starts before its turn comes has a task for its start.
  for (const Turn& turn : found.turns) {
    int32_t& mine = start[static_cast<size_t>(turn.after)] = builder.Task(Duration());
    builder.Edge(mine, turn.after);
    builder.Edge(turn.before, turn.after);
  }
  for (const Dependency& d : found.all) {
    builder.Edge(d.before, start[static_cast<size_t>(d.after)],
                 found.delay[static_cast<size_t>(d.cause)]);
  }
  return start;
}

// Operations at their new times, by start.
void Place(const TaskTimes& times, const std::vector<int32_t>& start, const Dependencies& found,
           std::vector<trace::DeviceOperation>& operations) {
  for (size_t i = 0; i < operations.size(); ++i) {
    operations[i].start = times.start[static_cast<size_t>(start[i])];
    operations[i].length = times.end[i] - operations[i].start;
  }
  for (const Turn& turn : found.turns) {
    trace::DeviceOperation& op = operations[static_cast<size_t>(turn.after)];
    const Duration end = op.end(), other = times.end[static_cast<size_t>(turn.before)];
    op.start = std::max(op.start, std::min(end, other - turn.lead));
    op.length = end - op.start;
  }
  std::stable_sort(operations.begin(), operations.end(),
                   [](const auto& a, const auto& b) { return a.start < b.start; });
}

}  // namespace

Result<Replay> ReplayTrace(const trace::Trace& trace, const Scales& scales) {
  auto found = FindDependencies(trace);
  if (!found) return Fail(found.error());
  Replay replay{trace, *std::move(found), Span(trace.operations), {}, scales};
  GraphBuilder builder;
  const std::vector<int32_t> start = AddOperations(trace, replay.dependencies, scales, builder);
  AddHost(replay.dependencies, scales, start, builder);
  if (builder.total() > kLongest) {
    return Fail(Error{"its operations take " +
                          std::to_string(static_cast<int>(kLongest.seconds() / 86400)) +
                          " days or more, which is too long to replay",
                      {trace.file}});
  }
  Place(RunFluid(builder.graph()), start, replay.dependencies, replay.trace.operations);
  replay.replayed = Span(replay.trace.operations);
  return replay;
}

}  // namespace pipescope::replay
