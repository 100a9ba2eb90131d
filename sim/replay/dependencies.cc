#include "sim/replay/dependencies.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

namespace pipescope::replay {
namespace {

using trace::DeviceOperation;
using trace::Launch;
using trace::Trace;

constexpr Duration kLate = Duration(20'000'000);    // an operation without a known cause
constexpr Duration kClose = Duration(10'000'000);   // of the end that it then waits for
constexpr size_t kMostBack = 1000;                  // operations that a stream has queued
constexpr Duration kPause = Duration(100'000'000);  // of the host

class Finder {
 public:
  explicit Finder(const Trace& trace)
      : trace_(trace), launch_(trace.operations.size(), nullptr), ready_(trace.operations.size()) {
    std::map<std::pair<int32_t, int64_t>, size_t> streams;
    for (size_t i = 0; i < trace.operations.size(); ++i) {
      const DeviceOperation& op = trace.operations[i];
      const size_t s = streams.try_emplace({op.device, op.stream}, streams.size()).first->second;
      stream_of_.push_back(s);
    }
    by_stream_.resize(streams.size());
    FindLaunches();
  }

  Result<Dependencies> Find() {
    if (by_stream_.size() > kMostStreams) {
      return Fail(Error{"holds " + std::to_string(by_stream_.size()) + " streams; at most " +
                            std::to_string(kMostStreams) + " are replayed",
                        {trace_.file}});
    }
    ByStream();
    AlongTheHost();
    ByTiming();
    Delays();
    std::stable_sort(found_.all.begin(), found_.all.end(),
                     [](const Dependency& a, const Dependency& b) { return a.after < b.after; });
    return std::move(found_);
  }

 private:
  struct Ready {  // the last that an operation waited for
    Duration time;
    Cause cause = Cause::kLaunch;
    bool any = false;
  };

  const DeviceOperation& Op(int32_t i) const { return trace_.operations[static_cast<size_t>(i)]; }

  void FindLaunches() {
    std::unordered_map<int64_t, const Launch*> of_correlation;
    for (const Launch& launch : trace_.launches) of_correlation[launch.correlation] = &launch;
    for (size_t i = 0; i < trace_.operations.size(); ++i) {
      const auto at = of_correlation.find(trace_.operations[i].correlation);
      if (at == of_correlation.end()) continue;
      launch_[i] = at->second;
      launched_.push_back(static_cast<int32_t>(i));
    }
    std::stable_sort(launched_.begin(), launched_.end(), [&](int32_t a, int32_t b) {
      return launch_[static_cast<size_t>(a)]->start < launch_[static_cast<size_t>(b)]->start;
    });
  }

  void Note(int32_t after, Duration end, Cause cause) {
    Ready& ready = ready_[static_cast<size_t>(after)];
    if (ready.any && end <= ready.time) return;
    ready = {end, cause, true};
  }

  void Add(int32_t before, int32_t after, Cause cause) {
    found_.all.push_back({before, after, cause});
    Note(after, Op(before).end(), cause);
  }

  void ByStream() {
    std::vector<int32_t> last(by_stream_.size(), -1);
    for (size_t i = 0; i < stream_of_.size(); ++i) {
      int32_t& before = last[stream_of_[i]];
      const auto self = static_cast<int32_t>(i);
      if (before >= 0) Add(before, self, Cause::kStream);
      before = self;
      TakeTurn(self, last);
    }
  }

  int64_t Blocks(int32_t i) const { return Op(i).grid[0] * Op(i).grid[1] * Op(i).grid[2]; }

  // `last`: of each stream, the operation that started last.
  void TakeTurn(int32_t self, const std::vector<int32_t>& last) {
    const int64_t blocks = Blocks(self);
    Turn turn{-1, self, {}, {}};
    Duration latest = Op(self).start;
    for (const int32_t other : last) {
      if (other < 0 || other == self) continue;
      const int64_t theirs = Blocks(other);
      const bool one_an_sm =
          blocks > 0 && blocks <= trace_.sms && theirs > 0 && theirs <= trace_.sms;
      if (!one_an_sm || blocks + theirs <= trace_.sms) continue;
      if (Op(other).end() <= latest || Op(other).end() >= Op(self).end()) continue;
      latest = Op(other).end();
      turn.before = other;
    }
    if (turn.before < 0) return;
    turn.work = Op(self).end() - latest;
    turn.lead = latest - Op(self).start;
    found_.turns.push_back(turn);
  }

  bool IsWait(const Launch& launch) const {
    return trace_.names[static_cast<size_t>(launch.name)].find("StreamWaitEvent") !=
           std::string::npos;
  }

  // Launches and waits in the host's order.
  void AlongTheHost() {
    std::vector<Duration> waits;
    for (const Launch& launch : trace_.launches) {
      if (IsWait(launch)) waits.push_back(launch.start);
    }
    found_.wait_calls = static_cast<int64_t>(waits.size());
    next_on_stream_.resize(by_stream_.size());
    for (const int32_t op : launched_) later_on_stream(op).push_back(op);
    size_t wait = 0;
    Duration before;
    for (size_t j = 0; j < launched_.size(); ++j) {
      const int32_t op = launched_[j];
      const Duration now = launch_[static_cast<size_t>(op)]->start;
      for (; wait < waits.size() && waits[wait] <= now; ++wait) Wait();
      Step(op, j == 0 ? now : before, now);
      by_stream_[stream_of_[static_cast<size_t>(op)]].push_back(op);
      ++next_on_stream_[stream_of_[static_cast<size_t>(op)]];
      before = now;
    }
  }

  std::vector<int32_t>& later_on_stream(int32_t op) {
    later_.resize(by_stream_.size());
    return later_[stream_of_[static_cast<size_t>(op)]];
  }

  // The tightest pair of an operation launched so far and a stream's next one.
  void Wait() {
    std::pair<int32_t, int32_t> best = {-1, -1};
    Duration slack = Duration::Max();
    for (size_t s = 0; s < by_stream_.size(); ++s) {
      if (next_on_stream_[s] >= later_[s].size()) continue;
      const int32_t after = later_[s][next_on_stream_[s]];
      for (size_t t = 0; t < by_stream_.size(); ++t) {
        const int32_t before = t == s ? -1 : LastEnded(t, after);
        if (before < 0 || waited_.contains({before, after})) continue;
        const Duration between = Op(after).start - Op(before).end();
        if (between >= slack) continue;
        slack = between;
        best = {before, after};
      }
    }
    if (best.first < 0) return;
    waited_.insert(best);
    Add(best.first, best.second, Cause::kWait);
  }

  // Of the operations that a stream was given so far, the last that had ended when `after` began.
  int32_t LastEnded(size_t stream, int32_t after) const {
    const std::vector<int32_t>& ops = by_stream_[stream];
    size_t looked = 0;
    for (auto at = ops.rbegin(); at != ops.rend() && ++looked < kMostBack; ++at) {
      if (*at < after && Op(*at).end() <= Op(after).start) return *at;
    }
    return -1;
  }

  void Step(int32_t op, Duration before, Duration now) {
    HostStep step{op, now - before, -1, now <= Op(op).start};
    if (step.work > kPause) {
      Duration latest = before + Duration(step.work.picoseconds() / 2);
      for (const std::vector<int32_t>& given : by_stream_) {
        if (given.empty()) continue;
        const Duration end = Op(given.back()).end();
        if (end < latest || end >= now) continue;
        latest = end;
        step.waits_for = given.back();
      }
    }
    if (step.waits_for >= 0) {
      step.work = now - Op(step.waits_for).end();
      ++found_.pauses;
    }
    if (step.launches_it) Note(op, now, Cause::kLaunch);
    found_.host.push_back(step);
  }

  // Ends of all operations in order, so that the last before a time is found.
  void ByTiming() {
    std::vector<std::pair<Duration, int32_t>> ends;
    for (size_t i = 0; i < trace_.operations.size(); ++i) {
      ends.emplace_back(trace_.operations[i].end(), static_cast<int32_t>(i));
    }
    std::sort(ends.begin(), ends.end());
    for (size_t i = 0; i < trace_.operations.size(); ++i) {
      const Duration start = trace_.operations[i].start;
      if (!ready_[i].any || start - ready_[i].time <= kLate) continue;
      auto at = std::upper_bound(ends.begin(), ends.end(), std::pair(start, int32_t(i)));
      while (at != ends.begin() && start - (at - 1)->first <= kClose) {
        const int32_t before = (--at)->second;
        if (stream_of_[static_cast<size_t>(before)] == stream_of_[i]) continue;
        if (before >= static_cast<int32_t>(i)) continue;
        Add(before, static_cast<int32_t>(i), Cause::kTiming);
        break;
      }
    }
  }

  void Delays() {
    std::array<std::vector<Duration>, kCauses> each;
    const auto delay_of = [&](size_t i) { return trace_.operations[i].start - ready_[i].time; };
    for (size_t i = 0; i < ready_.size(); ++i) {
      // Operations of a stream may overlap where the trace's clock is coarse: no delay then.
      if (ready_[i].any) {
        each[static_cast<size_t>(ready_[i].cause)].push_back(std::max(delay_of(i), Duration()));
      }
    }
    for (size_t c = 0; c < each.size(); ++c) {
      std::sort(each[c].begin(), each[c].end());
      found_.decided[c] = static_cast<int64_t>(each[c].size());
      const size_t from = each[c].size() / 4, to = each[c].size() - from;
      Duration sum;
      for (size_t k = from; k < to; ++k) sum += each[c][k];
      if (to > from)
        found_.delay[c] = Duration(sum.picoseconds() / static_cast<int64_t>(to - from));
    }
    // What waits for SMs starts when the first of them are free.
    for (const Turn& turn : found_.turns) ready_[static_cast<size_t>(turn.after)].any = false;
    for (size_t i = 0; i < ready_.size(); ++i) {
      if (!ready_[i].any) continue;
      const Duration excess = delay_of(i) - found_.delay[static_cast<size_t>(ready_[i].cause)];
      found_.unexplained += std::max(excess, Duration());
    }
  }

  const Trace& trace_;
  Dependencies found_;
  std::vector<const Launch*> launch_;             // [operation], or null
  std::vector<Ready> ready_;                      // [operation]
  std::vector<size_t> stream_of_;                 // [operation]
  std::vector<int32_t> launched_;                 // in the host's order
  std::vector<std::vector<int32_t>> later_;       // [stream] all that is launched on it
  std::vector<std::vector<int32_t>> by_stream_;   // [stream] what is launched so far
  std::vector<size_t> next_on_stream_;            // [stream] index into later_
  std::set<std::pair<int32_t, int32_t>> waited_;  // pairs that a wait explains
};

}  // namespace

Result<Dependencies> FindDependencies(const Trace& trace) { return Finder(trace).Find(); }

}  // namespace pipescope::replay
