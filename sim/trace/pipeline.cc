#include "sim/trace/pipeline.h"

#include <algorithm>
#include <map>
#include <optional>

#include "schedules/token.h"
#include "sim/trace/phases.h"
#include "sim/trace/timeline_of.h"

namespace pipescope::trace {
namespace {

constexpr Duration kPause = Duration(10'000'000);

// An action under construction: which operations of the rank, and when.
struct Stretch {
  schedules::Action action;
  std::vector<int32_t> operations;
  Duration start = Duration::Max(), end;
};

std::optional<schedules::Action> ActionOf(std::string_view name) {
  if (name.starts_with("PP:")) name.remove_prefix(3);
  const auto action = schedules::ParseToken(name);
  if (!action) return std::nullopt;
  return *action;
}

// Adds one rank's operations and actions to a timeline.
class RankBuilder {
 public:
  RankBuilder(const Trace& trace, const TracedTimeline& traced, int32_t rank, Duration shift,
              PipelineTrace& into)
      : trace_(trace), traced_(traced), rank_(rank), shift_(shift), into_(into) {}

  void Build() {
    FindNamed();
    const auto named = static_cast<int64_t>(stretches_.size());
    if (named == 0) FindBusy();
    into_.named.push_back(named);
    std::stable_sort(stretches_.begin(), stretches_.end(),
                     [](const Stretch& a, const Stretch& b) { return a.start < b.start; });
    for (size_t i = 1; i < stretches_.size(); ++i) {
      stretches_[i - 1].end = std::min(stretches_[i - 1].end, stretches_[i].start);
    }
    AddLabels();
    Emit();
  }

 private:
  const DeviceOperation& Op(int32_t i) const { return trace_.operations[static_cast<size_t>(i)]; }
  bool Computes(size_t i) const {
    return traced_.streams[static_cast<size_t>(traced_.stream_of[i])].lane ==
           timeline::Lane::kCompute;
  }
  bool Message(size_t i) const {
    return traced_.classes[i] == OperationClass::kSendReceive ||
           (Op(static_cast<int32_t>(i)).common >= 0 &&
            trace_.names[static_cast<size_t>(Op(static_cast<int32_t>(i)).common)].starts_with(
                "p2p "));
  }

  void Extend(Stretch& stretch, size_t i) {
    const DeviceOperation& op = trace_.operations[i];
    stretch.operations.push_back(static_cast<int32_t>(i));
    stretch.start = std::min(stretch.start, op.start);
    stretch.end = std::max(stretch.end, op.end());
  }

  // By the enclosing annotation that is a token: the innermost may be a layer's.
  void FindNamed() {
    std::vector<Annotation> tokens;
    std::vector<schedules::Action> actions;
    for (const Annotation& a : trace_.annotations) {
      const auto action = ActionOf(trace_.names[static_cast<size_t>(a.name)]);
      if (!action) continue;
      tokens.push_back(a);
      actions.push_back(*action);
    }
    Trace only;  // of launches and tokens
    only.names = trace_.names;
    only.annotations = std::move(tokens);
    only.launches = trace_.launches;
    only.operations = trace_.operations;
    const auto phases = FindPhases(only);
    if (!phases) return;
    std::map<int32_t, Stretch> by_token;
    for (size_t i = 0; i < phases->size(); ++i) {
      const int32_t token = (*phases)[i];
      if (token < 0 || Message(i)) continue;
      Stretch& stretch = by_token[token];
      stretch.action = actions[static_cast<size_t>(token)];
      Extend(stretch, i);
    }
    for (auto& [token, stretch] : by_token) stretches_.push_back(std::move(stretch));
  }

  void FindBusy() {
    for (size_t i = 0; i < trace_.operations.size(); ++i) {
      if (!Computes(i)) continue;
      if (stretches_.empty() || trace_.operations[i].start > stretches_.back().end + kPause) {
        const auto number = static_cast<int32_t>(stretches_.size());
        stretches_.emplace_back();
        stretches_.back().action = {schedules::ActionKind::kForward, StageId(rank_),
                                    MicrobatchId(number)};
      }
      Extend(stretches_.back(), i);
    }
  }

  void AddLabels() {
    first_label_ = static_cast<int32_t>(into_.timeline.labels.size());
    for (const timeline::Label& label : traced_.timeline.labels) {
      into_.timeline.labels.push_back(label);
    }
  }

  void Add(int32_t i, int32_t action) {
    const DeviceOperation& op = Op(i);
    const int32_t label = traced_.timeline.operations[static_cast<size_t>(i)].label;
    timeline::Timeline& t = into_.timeline;
    t.operations.push_back(
        {rank_, first_label_ + label, action, -1, op.start - shift_, op.end() - shift_});
    t.end = std::max(t.end, op.end() - shift_);
  }

  void Emit() {
    timeline::Timeline& t = into_.timeline;
    const auto first_action = static_cast<int>(t.actions.size());
    std::vector<bool> added(trace_.operations.size());
    for (const Stretch& stretch : stretches_) {
      timeline::ActionSpan span;
      span.rank = rank_;
      span.action = stretch.action;
      span.first = static_cast<int32_t>(t.operations.size());
      span.count = static_cast<int32_t>(stretch.operations.size());
      span.start = stretch.start - shift_;
      span.end = stretch.end - shift_;
      for (const int32_t i : stretch.operations) {
        Add(i, static_cast<int32_t>(t.actions.size()));
        added[static_cast<size_t>(i)] = true;
      }
      t.actions.push_back(span);
      t.pipeline_end = std::max(t.pipeline_end, span.end);
    }
    t.rank_actions.emplace_back(first_action, static_cast<int>(t.actions.size()));
    Duration busy, until;
    for (size_t i = 0; i < added.size(); ++i) {
      if (!added[i]) Add(static_cast<int32_t>(i), -1);
      if (!Computes(i)) continue;
      const DeviceOperation& op = trace_.operations[i];
      busy += std::max(op.end(), until) - std::max(op.start, until);
      until = std::max(until, op.end());
    }
    into_.computing.push_back(busy);
  }

  const Trace& trace_;
  const TracedTimeline& traced_;
  int32_t rank_;
  Duration shift_;
  PipelineTrace& into_;
  std::vector<Stretch> stretches_;
  int32_t first_label_ = 0;
};

}  // namespace

Result<PipelineTrace> PipelineOf(const std::vector<Trace>& traces, const Alignment& alignment) {
  PipelineTrace all;
  all.timeline.ranks = static_cast<int>(traces.size());
  Duration first = Duration::Max();  // on the common clock
  for (size_t t = 0; t < traces.size(); ++t) {
    first = std::min(first, traces[t].operations.front().start - alignment.offset[t]);
  }
  for (size_t t = 0; t < traces.size(); ++t) {
    const auto traced = TimelineOf(traces[t]);
    if (!traced) return Fail(traced.error());
    RankBuilder(traces[t], *traced, static_cast<int32_t>(t), alignment.offset[t] + first, all)
        .Build();
  }
  return all;
}

}  // namespace pipescope::trace
