#include "reports/timeline_data.h"

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/timeline/slack.h"

namespace pipescope::reports {
namespace {

using Json = nlohmann::ordered_json;
using timeline::Operation;
using timeline::OperationKind;
using timeline::Timeline;

int64_t Nanoseconds(Duration d) { return (d.picoseconds() + 500) / 1000; }
int64_t Length(Duration start, Duration end) { return Nanoseconds(end) - Nanoseconds(start); }

// The page's numbers for what an operation is.
int PageKind(OperationKind kind) {
  switch (kind) {
    case OperationKind::kAttention:
      return 0;
    case OperationKind::kMlp:
      return 1;
    case OperationKind::kDispatch:
      return 2;
    case OperationKind::kCombine:
      return 3;
    case OperationKind::kEdge:
      return 4;
    case OperationKind::kMessage:
      return 5;
    case OperationKind::kCollective:
      return 6;
    case OperationKind::kOptimizer:
      return 7;
    case OperationKind::kOther:
      return 8;
  }
  return 8;
}

int PageKind(schedules::ActionKind kind) {
  switch (kind) {
    case schedules::ActionKind::kForward:
      return 0;
    case schedules::ActionKind::kInputGrad:
      return 1;
    case schedules::ActionKind::kWeightGrad:
      return 2;
    case schedules::ActionKind::kBackward:
      return 3;
    case schedules::ActionKind::kOverlapped:
      return 4;
  }
  return 0;
}

// Columns by name, filled row by row.
class Columns {
 public:
  explicit Columns(std::initializer_list<const char*> names) {
    for (const char* name : names) {
      order_.emplace_back(name);
      columns_.push_back(Json::array());
    }
  }
  void Add(std::initializer_list<int64_t> row) {
    size_t i = 0;
    for (const int64_t value : row) columns_[i++].push_back(value);
  }
  Json Take() {
    Json object = Json::object();
    for (size_t i = 0; i < order_.size(); ++i) object[order_[i]] = std::move(columns_[i]);
    return object;
  }

 private:
  std::vector<std::string> order_;
  std::vector<Json> columns_;
};

// The distinct ways in which actions' operations lie in time.
class Shapes {
 public:
  int64_t Of(const Timeline& t, const timeline::ActionSpan& span) {
    std::vector<int64_t> shape;
    for (int32_t i = span.first; i < span.first + span.count; ++i) {
      const Operation& op = t.operations[static_cast<size_t>(i)];
      const timeline::Label& label = t.labels[static_cast<size_t>(op.label)];
      // Rounded from the action's start: where it lies between two nanoseconds makes no shape.
      shape.insert(shape.end(),
                   {static_cast<int64_t>(label.lane), op.label, Nanoseconds(op.start - span.start),
                    Length(op.start - span.start, op.end - span.start)});
    }
    const auto [at, is_new] = known_.emplace(std::move(shape), list_.size());
    if (is_new) list_.push_back(at->first);
    return static_cast<int64_t>(at->second);
  }
  Json Take() { return std::move(list_); }

 private:
  std::map<std::vector<int64_t>, size_t> known_;
  Json list_ = Json::array();
};

// The action that released an action's first operation: directly, or by a message.
int64_t ReleasingAction(const Timeline& t, const timeline::ActionSpan& span) {
  for (int32_t i = span.first; i < span.first + span.count; ++i) {
    const Operation& op = t.operations[static_cast<size_t>(i)];
    if (op.start != span.start) continue;
    int32_t by = op.released_by;
    while (by >= 0 && t.operations[static_cast<size_t>(by)].action < 0) {
      by = t.operations[static_cast<size_t>(by)].released_by;
    }
    return by < 0 ? -1 : t.operations[static_cast<size_t>(by)].action;
  }
  return -1;
}

void AddActions(const StepResult& r, Json& out) {
  const Timeline& t = r.timeline;
  std::map<int32_t, int> wait;  // by action
  for (const timeline::Gap& gap : r.bubbles.gaps) {
    if (gap.before_action >= 0) wait[gap.before_action] = static_cast<int>(gap.cause);
  }
  const std::vector<Duration> slack = timeline::SlackByAction(t);
  Shapes shapes;
  Columns actions({"rank", "start_ns", "dur_ns", "kind", "stage", "microbatch", "backward_stage",
                   "backward_microbatch", "shape", "wait", "released_by", "slack_ns"});
  for (size_t a = 0; a < t.actions.size(); ++a) {
    const timeline::ActionSpan& span = t.actions[a];
    const auto cause = wait.find(static_cast<int32_t>(a));
    actions.Add({span.rank, Nanoseconds(span.start), Length(span.start, span.end),
                 PageKind(span.action.kind), span.action.stage.value(),
                 span.action.microbatch.value(), span.action.backward_stage.value(),
                 span.action.backward_microbatch.value(), shapes.Of(t, span),
                 cause == wait.end() ? -1 : cause->second, ReleasingAction(t, span),
                 Nanoseconds(slack[a])});
  }
  out["shapes"] = shapes.Take();
  out["actions"] = actions.Take();
}

Json Messages(const Timeline& t) {
  Columns columns({"from", "to", "start_ns", "dur_ns", "stage", "microbatch", "backward"});
  for (const timeline::Message& m : t.messages) {
    const Operation& op = t.operations[static_cast<size_t>(m.operation)];
    columns.Add({m.from, m.to, Nanoseconds(op.start), Length(op.start, op.end), m.stage.value(),
                 m.microbatch.value(), m.backward});
  }
  return columns.Take();
}

Json StepOperations(const Timeline& t, const std::vector<bool>& is_message) {
  Columns columns({"rank", "lane", "op_name", "start_ns", "dur_ns"});
  for (size_t i = 0; i < t.operations.size(); ++i) {
    const Operation& op = t.operations[i];
    if (op.action >= 0 || is_message[i]) continue;
    const timeline::Label& label = t.labels[static_cast<size_t>(op.label)];
    columns.Add({op.rank, static_cast<int64_t>(label.lane), op.label, Nanoseconds(op.start),
                 Length(op.start, op.end)});
  }
  return columns.Take();
}

Json Gaps(const StepResult& r) {
  Columns columns({"rank", "start_ns", "dur_ns", "cause"});
  for (const timeline::Gap& gap : r.bubbles.gaps) {
    columns.Add({gap.rank, Nanoseconds(gap.start), Length(gap.start, gap.end),
                 static_cast<int64_t>(gap.cause)});
  }
  return columns.Take();
}

Json Memory(const StepResult& r) {
  Json ranks = Json::array(), times = Json::array(), bytes = Json::array();
  for (size_t i = 0; i < r.activations.size(); ++i) {
    const RankMemory& m = r.memory[i];
    const Bytes always = m.total_peak - m.activations_peak;
    Json time = {0};
    Json value = {always.value()};
    for (const timeline::MemoryPoint& point : r.activations[i].points) {
      time.push_back(Nanoseconds(point.time));
      value.push_back((always + point.activations).value());
    }
    ranks.push_back(i);
    times.push_back(std::move(time));
    bytes.push_back(std::move(value));
  }
  return {{"rank", ranks}, {"time_ns", times}, {"bytes", bytes}};
}

int64_t Percent(double share) { return std::llround(100 * share); }

// Shares of capacities in whole percents.
Json Resources(const ResourceUse& use) {
  Json rows = Json::array();
  for (const ResourceUse::Row& row : use.rows) {
    Json bytes = Json::array(), share = Json::array();
    for (const Bytes b : row.bytes) bytes.push_back(b.value());
    for (const std::vector<double>& rank : row.share) {
      Json slices = Json::array();
      for (const double s : rank) slices.push_back(Percent(s));
      share.push_back(std::move(slices));
    }
    Columns traffic({"from", "to", "bytes"});
    for (const Traffic& t : row.traffic) traffic.Add({t.from, t.to, t.bytes.value()});
    rows.push_back({{"name", row.name},
                    {"bytes_per_s", row.capacity.value()},
                    {"bytes", std::move(bytes)},
                    {"percent", std::move(share)},
                    {"traffic", traffic.Take()}});
  }
  Json by_label = Json::array();
  for (const std::vector<double>& label : use.by_label) {
    Json shares = Json::array();
    for (const double s : label) shares.push_back(Percent(s));
    by_label.push_back(std::move(shares));
  }
  return {{"slice_ns", Nanoseconds(use.slice)}, {"rows", rows}, {"op_percent", by_label}};
}

Json CriticalPath(const StepResult& r) {
  const Timeline& t = r.timeline;
  Columns columns({"rank", "start_ns", "dur_ns", "what"});
  for (const int32_t i : r.critical_path) {
    const Operation& op = t.operations[static_cast<size_t>(i)];
    columns.Add({op.rank, Nanoseconds(op.start), Length(op.start, op.end), op.label});
  }
  Json path = columns.Take();
  path["names"] = Json::array();
  for (const timeline::Label& label : t.labels) path["names"].push_back(label.name);
  return path;
}

}  // namespace

Json TimelineData(const StepResult& r) {
  const Timeline& t = r.timeline;
  std::vector<bool> is_message(t.operations.size(), false);
  for (const timeline::Message& m : t.messages) is_message[static_cast<size_t>(m.operation)] = true;
  Json out = {{"ranks", t.ranks},
              {"end_ns", Nanoseconds(t.end)},
              {"lanes", {"compute", "communication", "pipeline", "gradient"}}};
  out["op_names"] = Json::array();
  out["op_kinds"] = Json::array();
  for (const timeline::Label& label : t.labels) {
    out["op_names"].push_back(label.name);
    out["op_kinds"].push_back(PageKind(label.kind));
  }
  AddActions(r, out);
  out["messages"] = Messages(t);
  out["step_ops"] = StepOperations(t, is_message);
  out["gaps"] = Gaps(r);
  out["gap_causes"] = Json::array();
  for (int c = 0; c < timeline::kGapCauses; ++c) {
    out["gap_causes"].push_back(timeline::Name(static_cast<timeline::GapCause>(c)));
  }
  out["resources"] = Resources(r.resources);
  out["memory"] = Memory(r);
  out["critical_path"] = CriticalPath(r);
  return out;
}

}  // namespace pipescope::reports
