#include "sim/step_flow/executor.h"

#include <algorithm>
#include <map>
#include <queue>

#include "sim/base/result.h"
#include "sim/step_flow/bundle.h"
#include "sim/step_flow/dependencies.h"
#include "sim/step_flow/slowness.h"

namespace pipescope {
namespace {

class Executor {
 public:
  Executor(const TaskGraph& graph, const Experiment& experiment, const std::vector<Role>& roles,
           TransferTable& transfers, flow::Engine& engine, LinkMeter* meter)
      : graph_(graph),
        dependencies_(graph),
        slowness_(experiment, graph),
        transfers_(transfers),
        engine_(engine),
        meter_(meter),
        roles_(roles),
        replicas_(experiment.parallel.gpus_per_rank()) {
    const size_t tasks = graph.tasks.size();
    const size_t all = tasks * static_cast<size_t>(replicas_);
    start_.resize(all);
    end_.resize(all, Duration::Max());
    ready_.resize(tasks);
    joined_.resize(tasks);
    CountWaits();
  }

  StepTimes Run() {
    for (size_t t = 0; t < graph_.tasks.size(); ++t) {
      if (!dependencies_.Before(static_cast<int32_t>(t)).empty()) continue;
      for (int32_t i = 0; i < replicas_; ++i) Arrive(static_cast<int32_t>(t), i);
    }
    StartReady();
    while (true) {
      const Duration flow = engine_.Next();
      const Duration timer = timers_.empty() ? Duration::Max() : timers_.top().time;
      now_ = std::min(flow, timer);
      if (now_ == Duration::Max()) break;
      ended_.clear();
      engine_.AdvanceTo(now_, ended_);
      for (const flow::Ended& ended : ended_) EndFlows(ended);
      while (!timers_.empty() && timers_.top().time == now_) {
        const int32_t bundle = timers_.top().bundle;
        timers_.pop();
        EndBundle(bundle);
      }
      StartReady();
    }
    return Collect();
  }

 private:
  size_t At(int32_t task, int32_t replica) const {
    return static_cast<size_t>(task) * static_cast<size_t>(replicas_) +
           static_cast<size_t>(replica);
  }
  const Task& task(int32_t t) const { return graph_.tasks[static_cast<size_t>(t)]; }
  const Role& role(int32_t t) const { return roles_[static_cast<size_t>(task(t).templ)]; }
  const costs::Demand& demand(int32_t t) const {
    return graph_.templates[static_cast<size_t>(task(t).templ)].demand;
  }

  void CountWaits() {
    waits_.reserve(end_.size());
    for (size_t t = 0; t < graph_.tasks.size(); ++t) {
      const size_t count = dependencies_.Before(static_cast<int32_t>(t)).size();
      waits_.insert(waits_.end(), static_cast<size_t>(replicas_), static_cast<uint16_t>(count));
    }
  }

  // A replica has all that the task waits for; a joined task starts when the last one has.
  void Arrive(int32_t t, int32_t replica) {
    const Group& who = role(t).group;
    auto& ready = ready_[static_cast<size_t>(t)];
    if (ready.empty()) touched_.push_back(t);
    if (who.size == 1) {
      ready.push_back(replica);
      return;
    }
    auto& joined = joined_[static_cast<size_t>(t)];
    if (joined.empty()) joined.assign(static_cast<size_t>(replicas_ / who.size), 0);
    const int32_t group = who.Of(replica);
    if (++joined[static_cast<size_t>(group)] < who.size) return;
    for (int32_t k = 0; k < who.size; ++k) ready.push_back(who.Member(group, k));
  }

  void StartReady() {
    std::sort(touched_.begin(), touched_.end());
    for (size_t n = 0; n < touched_.size(); ++n) {
      const int32_t t = touched_[n];
      if (n > 0 && touched_[n - 1] == t) continue;
      auto members = std::move(ready_[static_cast<size_t>(t)]);
      ready_[static_cast<size_t>(t)].clear();
      if (members.empty()) continue;
      std::sort(members.begin(), members.end());
      for (const int32_t i : members) start_[At(t, i)] = now_;
      Divide(t, std::move(members));
    }
    touched_.clear();
  }

  // Starts one bundle for each group, or one for all where all groups of a collective start; one
  // for each speed of a computation.
  void Divide(int32_t t, std::vector<int32_t> members) {
    const Group& who = role(t).group;
    const bool together = static_cast<int32_t>(members.size()) == replicas_ &&
                          role(t).transfer != TransferKind::kExchange;
    if (who.size > 1 && !together) {
      std::map<int32_t, std::vector<int32_t>> groups;
      for (const int32_t i : members) groups[who.Of(i)].push_back(i);
      for (auto& [group, same] : groups) Start(t, std::move(same), 1);
      return;
    }
    if (!role(t).computes || slowness_.none()) {
      Start(t, std::move(members), 1);
      return;
    }
    std::map<double, std::vector<int32_t>> by_speed;
    for (const int32_t i : members) {
      by_speed[slowness_.Of(task(t), i)].push_back(i);
    }
    for (auto& [slow, same] : by_speed) Start(t, std::move(same), slow);
  }

  void Start(int32_t t, std::vector<int32_t> members, double slow) {
    Bundle bundle{t, std::move(members), nullptr, {}, 0};
    // A slow GPU asks less of its HBM; that it could be short of it besides is left out.
    if (role(t).transfer && slow == 1) {
      bundle.transfers = transfers_.Of(*role(t).transfer, task(t), bundle.members);
      bundle.left.assign(bundle.members.size(), 0);
      for (int64_t f = 0; f < bundle.transfers->size(); ++f) {
        ++bundle.left[static_cast<size_t>(bundle.transfers->source[static_cast<size_t>(f)])];
        ++bundle.left[static_cast<size_t>(bundle.transfers->destination[static_cast<size_t>(f)])];
      }
      bundle.open = bundle.transfers->size();
      if (std::find(bundle.left.begin(), bundle.left.end(), 0) != bundle.left.end()) {
        bundle.transfers = nullptr;  // nothing to send
      }
    }
    const int32_t number = Store(std::move(bundle));
    if (bundles_[static_cast<size_t>(number)].transfers == nullptr) {
      const Duration time = slow == 1 ? demand(t).time : Seconds(demand(t).time.seconds() * slow);
      timers_.push({now_ + time, number});
      return;
    }
    const flow::FlowId first =
        engine_.Add(bundles_[static_cast<size_t>(number)].transfers->pattern);
    flows_ += bundles_[static_cast<size_t>(number)].open;
    running_[first] = number;
  }

  int32_t Store(Bundle bundle) {
    if (free_.empty()) {
      bundles_.push_back(std::move(bundle));
      return static_cast<int32_t>(bundles_.size() - 1);
    }
    const int32_t number = free_.back();
    free_.pop_back();
    bundles_[static_cast<size_t>(number)] = std::move(bundle);
    return number;
  }

  // Flows with consecutive ids may be of several bundles.
  void EndFlows(flow::Ended ended) {
    while (ended.count > 0) {
      auto at = std::prev(running_.upper_bound(ended.first));
      const int32_t number = at->second;
      Bundle& bundle = bundles_[static_cast<size_t>(number)];
      const int64_t from = ended.first - at->first;
      const int64_t count = std::min(ended.count, bundle.transfers->size() - from);
      ended.first += count;
      ended.count -= count;
      bundle.open -= count;
      transfers_.End(*bundle.transfers, from, count);
      if (meter_ != nullptr) Meter(bundle, from, count);
      if (count == bundle.transfers->size()) {
        running_.erase(at);
        EndBundle(number);
        continue;
      }
      for (int64_t f = from; f < from + count; ++f) {
        EndFlow(bundle, bundle.transfers->source[static_cast<size_t>(f)]);
        EndFlow(bundle, bundle.transfers->destination[static_cast<size_t>(f)]);
      }
      if (bundle.open > 0) continue;
      running_.erase(at);
      free_.push_back(number);
    }
  }

  void Meter(const Bundle& bundle, int64_t from, int64_t count) {
    meter_->Add(task(bundle.task), bundle.transfers, from, count,
                start_[At(bundle.task, bundle.members.front())], now_);
  }

  void EndFlow(Bundle& bundle, int32_t member) {
    if (--bundle.left[static_cast<size_t>(member)] > 0) return;
    const int32_t replica = bundle.members[static_cast<size_t>(member)];
    End(bundle.task, std::span(&replica, 1));
  }

  // Everybody at once.
  void EndBundle(int32_t number) {
    const Bundle bundle = std::move(bundles_[static_cast<size_t>(number)]);
    free_.push_back(number);
    End(bundle.task, bundle.members);
  }

  void End(int32_t t, std::span<const int32_t> members) {
    for (const int32_t i : members) end_[At(t, i)] = now_;
    for (const int32_t after : dependencies_.After(t)) {
      for (const int32_t i : members) {
        if (--waits_[At(after, i)] == 0) Arrive(after, i);
      }
    }
  }

  StepTimes Collect() const {
    StepTimes result;
    result.flows = flows_;
    result.replica_ends.resize(static_cast<size_t>(replicas_));
    const int32_t tasks = static_cast<int32_t>(graph_.tasks.size());
    for (int32_t t = 0; t < tasks; ++t) {
      for (int32_t i = 0; i < replicas_; ++i) {
        PIPESCOPE_CHECK(end_[At(t, i)] < Duration::Max());  // else the graph hangs
        Duration& last = result.replica_ends[static_cast<size_t>(i)];
        last = std::max(last, end_[At(t, i)]);
      }
    }
    const auto& ends = result.replica_ends;
    result.replica = static_cast<int>(std::max_element(ends.begin(), ends.end()) - ends.begin());
    for (int32_t t = 0; t < tasks; ++t) {
      result.times.start.push_back(start_[At(t, result.replica)]);
      result.times.end.push_back(end_[At(t, result.replica)]);
      result.times.released_by.push_back(LatestBefore(t, result.replica));
    }
    return result;
  }

  // A joined task may have waited for another replica longer than for its own.
  int32_t LatestBefore(int32_t t, int32_t replica) const {
    int32_t latest = -1;
    for (const int32_t before : dependencies_.Before(t)) {
      if (latest < 0 || end_[At(before, replica)] > end_[At(latest, replica)]) latest = before;
    }
    return latest;
  }

  const TaskGraph& graph_;
  Dependencies dependencies_;
  Slowness slowness_;
  TransferTable& transfers_;
  flow::Engine& engine_;
  LinkMeter* meter_;
  const std::vector<Role>& roles_;
  int32_t replicas_;

  std::vector<uint16_t> waits_;               // [task][replica] that have not ended
  std::vector<Duration> start_, end_;         // [task][replica]
  std::vector<std::vector<int32_t>> ready_;   // [task] replicas that start now
  std::vector<std::vector<int32_t>> joined_;  // [task][group] that are there
  std::vector<int32_t> touched_;              // tasks with an entry in ready_
  std::vector<Bundle> bundles_;
  std::vector<int32_t> free_;                // places in bundles_
  std::map<flow::FlowId, int32_t> running_;  // first flow of each bundle that has flows
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::vector<flow::Ended> ended_;
  Duration now_;
  int64_t flows_ = 0;
};

}  // namespace

StepTimes RunStepFlows(const TaskGraph& graph, const Experiment& experiment,
                       const std::vector<Role>& roles, TransferTable& transfers,
                       flow::Engine& engine, LinkMeter* meter) {
  return Executor(graph, experiment, roles, transfers, engine, meter).Run();
}

}  // namespace pipescope
