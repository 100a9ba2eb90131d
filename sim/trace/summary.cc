#include "sim/trace/summary.h"

#include <algorithm>
#include <map>

#include "sim/timeline/bubbles.h"

namespace pipescope::trace {
namespace {

using timeline::Lane;
using timeline::Operation;

// The union's length of intervals that arrive by their starts.
class Busy {
 public:
  void Add(const Operation& op) {
    const Duration from = std::max(op.start, until_);
    if (op.end > from) sum_ += op.end - from;
    until_ = std::max(until_, op.end);
  }
  Duration sum() const { return sum_; }

 private:
  Duration sum_, until_;
};

std::vector<StreamUse> ByStream(const TracedTimeline& t) {
  std::vector<StreamUse> uses;
  for (const Stream& stream : t.streams) uses.push_back({stream, 0, {}});
  std::vector<Busy> busy(uses.size());
  for (size_t i = 0; i < t.timeline.operations.size(); ++i) {
    const auto stream = static_cast<size_t>(t.stream_of[i]);
    ++uses[stream].operations;
    busy[stream].Add(t.timeline.operations[i]);
  }
  for (size_t s = 0; s < uses.size(); ++s) uses[s].busy = busy[s].sum();
  return uses;
}

// A file may claim grids whose product is beyond any machine: it stops at 2^40.
int64_t Blocks(const DeviceOperation& op) {
  constexpr int64_t kMost = int64_t{1} << 40;
  int64_t blocks = 1;
  for (const int64_t size : op.grid) {
    if (size > 0 && blocks > kMost / size) return kMost;
    blocks *= size;
  }
  return blocks;
}

std::vector<ClassUse> ByClass(const Trace& trace, const TracedTimeline& t) {
  std::vector<ClassUse> uses(kOperationClasses);
  for (size_t i = 0; i < trace.operations.size(); ++i) {
    const DeviceOperation& op = trace.operations[i];
    ClassUse& use = uses[static_cast<size_t>(t.classes[i])];
    const int64_t blocks = Blocks(op);
    const bool first = use.operations == 0;
    use.operation_class = t.classes[i];
    use.total += op.length;
    use.least = first ? op.length : std::min(use.least, op.length);
    use.most = std::max(use.most, op.length);
    if (op.work == DeviceWork::kKernel) {  // copies and fills have no grid
      use.fewest_blocks = use.most_blocks == 0 ? blocks : std::min(use.fewest_blocks, blocks);
      use.most_blocks = std::max(use.most_blocks, blocks);
    }
    ++use.operations;
  }
  std::erase_if(uses, [](const ClassUse& use) { return use.operations == 0; });
  std::stable_sort(uses.begin(), uses.end(),
                   [](const ClassUse& a, const ClassUse& b) { return a.total > b.total; });
  return uses;
}

std::vector<PhaseUse> ByPhase(const Trace& trace, const TracedTimeline& t) {
  struct Times {
    int64_t operations = 0;
    std::map<int32_t, Busy> each;  // by annotation
  };
  std::vector<PhaseUse> uses;
  std::vector<Times> times;
  std::map<std::pair<int32_t, Lane>, size_t> rows;
  for (size_t i = 0; i < t.timeline.operations.size(); ++i) {
    const int32_t phase = t.phases[i];
    const int32_t name = phase < 0 ? -1 : trace.annotations[static_cast<size_t>(phase)].name;
    const Lane lane = t.streams[static_cast<size_t>(t.stream_of[i])].lane;
    const auto [row, is_new] = rows.try_emplace({name, lane}, uses.size());
    if (is_new) {
      uses.emplace_back();
      uses.back().lane = lane;
      if (name >= 0) uses.back().name = trace.names[static_cast<size_t>(name)];
      times.emplace_back();
    }
    ++times[row->second].operations;
    times[row->second].each[phase].Add(t.timeline.operations[i]);
  }
  for (size_t r = 0; r < uses.size(); ++r) {
    PhaseUse& use = uses[r];
    use.operations = times[r].operations;
    use.times = static_cast<int64_t>(times[r].each.size());
    use.least = Duration::Max();
    Duration sum;
    for (const auto& [phase, busy] : times[r].each) {
      sum += busy.sum();
      use.least = std::min(use.least, busy.sum());
      use.most = std::max(use.most, busy.sum());
    }
    use.mean = Duration(sum.picoseconds() / use.times);
  }
  return uses;
}

}  // namespace

Summary Summarize(const Trace& trace, const TracedTimeline& t) {
  Summary summary;
  summary.span = t.timeline.end;
  Busy any;
  for (const Operation& op : t.timeline.operations) any.Add(op);
  summary.idle = summary.span - any.sum();
  summary.overlap = timeline::MeasureOverlap(t.timeline, timeline::FindBubbles(t.timeline)).whole;
  summary.streams = ByStream(t);
  summary.classes = ByClass(trace, t);
  summary.phases = ByPhase(trace, t);
  return summary;
}

}  // namespace pipescope::trace
