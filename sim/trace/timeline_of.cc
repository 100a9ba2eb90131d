#include "sim/trace/timeline_of.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "sim/trace/phases.h"

namespace pipescope::trace {
namespace {

using schedules::ActionKind;
using timeline::Lane;
using timeline::Part;

void FindStreams(const Trace& trace, TracedTimeline& t) {
  std::map<std::pair<int32_t, int64_t>, int32_t> numbers;  // ordered: streams come out by number
  for (const DeviceOperation& op : trace.operations) numbers[{op.device, op.stream}] = 0;
  for (auto& [key, index] : numbers) {
    index = static_cast<int32_t>(t.streams.size());
    t.streams.push_back({key.first, key.second, Lane::kCompute});
  }
  std::vector<Duration> balance(t.streams.size());  // communication less all else
  for (size_t i = 0; i < trace.operations.size(); ++i) {
    const DeviceOperation& op = trace.operations[i];
    t.stream_of.push_back(numbers[{op.device, op.stream}]);
    Duration& of_stream = balance[static_cast<size_t>(t.stream_of.back())];
    of_stream += IsCommunication(t.classes[i]) ? op.length : Duration() - op.length;
  }
  for (size_t s = 0; s < balance.size(); ++s) {
    if (balance[s] > Duration()) t.streams[s].lane = Lane::kCommunication;
  }
}

ActionKind KindOfAction(const std::set<Part>& parts) {
  const bool forward = parts.contains(Part::kForward);
  const bool input = parts.contains(Part::kInputGrad), weight = parts.contains(Part::kWeightGrad);
  if (forward == (input || weight)) return ActionKind::kOverlapped;  // both, or not known
  if (forward) return ActionKind::kForward;
  return input && weight ? ActionKind::kBackward
         : input         ? ActionKind::kInputGrad
                         : ActionKind::kWeightGrad;
}

std::string PhaseName(const Trace& trace, int32_t phase) {
  if (phase < 0) return "";
  return trace.names[static_cast<size_t>(trace.annotations[static_cast<size_t>(phase)].name)];
}

// A GEMM's name does not say whose it is, the phase that launched it does.
timeline::OperationKind KindIn(const std::string& phase, OperationClass of) {
  const timeline::OperationKind kind = KindOf(of);
  if (kind != timeline::OperationKind::kOther) return kind;
  if (phase.starts_with("attn")) return timeline::OperationKind::kAttention;
  return phase.starts_with("mlp") ? timeline::OperationKind::kMlp : kind;
}

void AddOperations(const Trace& trace, TracedTimeline& t) {
  std::map<std::tuple<int32_t, OperationClass, Lane>, int32_t> labels;
  const Duration base = trace.operations.front().start;
  for (size_t i = 0; i < trace.operations.size(); ++i) {
    const int32_t phase = t.phases[i];
    const int32_t name = phase < 0 ? -1 : trace.annotations[static_cast<size_t>(phase)].name;
    const Lane lane = t.streams[static_cast<size_t>(t.stream_of[i])].lane;
    const auto [label, is_new] = labels.try_emplace({name, t.classes[i], lane},
                                                    static_cast<int32_t>(t.timeline.labels.size()));
    if (is_new) {
      const std::string words = PhaseName(trace, phase);
      t.timeline.labels.push_back({words + (words.empty() ? "" : " ") + Name(t.classes[i]),
                                   KindIn(words, t.classes[i]), lane, PartOf(words)});
    }
    const DeviceOperation& op = trace.operations[i];
    t.timeline.operations.push_back({0, label->second, 0, -1, op.start - base, op.end() - base});
    t.timeline.end = std::max(t.timeline.end, op.end() - base);
  }
}

}  // namespace

Result<TracedTimeline> TimelineOf(const Trace& trace) {
  PIPESCOPE_CHECK(!trace.operations.empty());
  TracedTimeline t;
  auto phases = FindPhases(trace);
  if (!phases) return Fail(phases.error());
  t.phases = *std::move(phases);
  t.classes = Classify(trace);
  FindStreams(trace, t);
  AddOperations(trace, t);
  std::set<Part> parts;
  for (const timeline::Label& label : t.timeline.labels) parts.insert(label.part);
  timeline::ActionSpan all;
  all.action = {KindOfAction(parts), StageId(0), MicrobatchId(0), StageId(0), MicrobatchId(0)};
  all.count = static_cast<int32_t>(t.timeline.operations.size());
  all.end = t.timeline.end;
  t.timeline.ranks = 1;
  t.timeline.actions = {all};
  t.timeline.rank_actions = {{0, 1}};
  t.timeline.pipeline_end = t.timeline.end;
  return t;
}

}  // namespace pipescope::trace
