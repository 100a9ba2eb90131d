// What the native engine does as time goes on.
#include <algorithm>
#include <limits>
#include <utility>

#include "sim/base/result.h"
#include "sim/flow/native_engine.h"

namespace pipescope::flow {
namespace {

constexpr int64_t kForever = std::numeric_limits<int64_t>::max();

}  // namespace

size_t NativeEngine::BatchOf(FlowId flow) const {
  PIPESCOPE_CHECK(flow >= 0 && flow < flows_);
  const auto after =
      std::upper_bound(batches_.begin(), batches_.end(), flow,
                       [](FlowId id, const Batch& batch) { return id < batch.first; });
  return static_cast<size_t>(after - batches_.begin()) - 1;
}

int32_t NativeEngine::FindVariable(FlowId flow) const {
  const size_t b = BatchOf(flow);
  const Batch& batch = batches_[b];
  if (batch.pattern == nullptr) return -1;
  const int32_t member = static_cast<int32_t>(flow - batch.first);
  const int32_t in_class = batch.pattern->ClassOf(member);
  const FlowClass* const c =
      in_class < 0 ? nullptr : &batch.pattern->classes()[static_cast<size_t>(in_class)];
  const auto fits = [&](int32_t v) {
    const Variable& var = state_.variable(v);
    if (!var.alive || var.batch != static_cast<int32_t>(b)) return false;
    return var.flow_class == nullptr ? var.member == member : var.flow_class == c;
  };
  const auto route = batch.pattern->batch().Route(member);
  if (route.empty()) {
    for (size_t v = 0; v < state_.variables(); ++v) {
      if (fits(static_cast<int32_t>(v))) return static_cast<int32_t>(v);
    }
    return -1;
  }
  int32_t found = -1;
  state_.ForEachPresent(route[0], [&](int32_t v) {
    if (fits(v)) found = v;
  });
  return found;
}

Bandwidth NativeEngine::RateOf(FlowId flow) {
  Settle();
  const int32_t v = FindVariable(flow);
  if (v < 0) return Bandwidth(0);
  const Variable& var = state_.variable(v);
  return Bandwidth(var.entered ? state_.link(var.owner).level : var.most);
}

void NativeEngine::Cancel(FlowId flow) {
  const size_t b = BatchOf(flow);
  int32_t v = FindVariable(flow);
  if (v >= 0) {
    if (state_.variable(v).flow_class != nullptr) {
      TakeApart(v);
      v = FindVariable(flow);
    }
    Left(v);  // brings what it shares links with to now
    Leave(v);
  } else {
    cancelled_.insert(flow);
  }
  if (--batches_[b].left == 0) finished_.push_back(static_cast<int32_t>(b));
}

void NativeEngine::SetCapacity(int32_t link, Bandwidth capacity) {
  PIPESCOPE_CHECK(capacity >= Bandwidth(0) && !state_.IsCap(link));
  const int32_t c = state_.link(link).component;
  if (c >= 0) {
    components_.Bring(components_.at(c), now_);
    MarkDirty(c);
  }
  state_.link(link).capacity = capacity.value();
  state_.link(link).changed = true;
  state_.Touch(link);
  state_.VoidCovers(link);
  std::vector<int32_t> present;
  state_.ForEachPresent(link, [&](int32_t v) { present.push_back(v); });
  for (const int32_t v : present) {
    if (state_.variable(v).flow_class != nullptr) {
      TakeApart(v);  // its members are not equal any more
      continue;
    }
    Variable& var = state_.variable(v);
    var.due = Left(v);
    var.since = now_;
    if (var.entered) TakeOff(v);
    state_.SetMost(v, MostOf(var));
    Queue(v);
  }
}

// Finds the levels of all that changed since they were found last. Classes that are taken apart
// meanwhile may leave other links tight.
void NativeEngine::Settle() {
  do {
    SettleOnce();
  } while (state_.HasTouched());
  for (const int32_t v : gone_) state_.FreeVariable(v);
  Empty(gone_);
}

void NativeEngine::SettleOnce() {
  for (const int32_t l : state_.Turned()) {
    state_.ForEachPresent(l, [this](int32_t v) { Queue(v); });
  }
  Place();
  std::vector<int32_t> parts;
  for (size_t i = 0; i < dirty_.size(); ++i) {
    const int32_t c = dirty_[i];
    if (!components_.at(c).dirty) continue;  // merged into another one since
    components_.at(c).dirty = false;
    SweepLinks(components_.at(c));
    components_.Divide(c, parts);
  }
  for (const int32_t c : parts) Solve(c);
  for (const int32_t c : dirty_) components_.at(c).dirty = false;
  dirty_.clear();
}

void NativeEngine::SweepLinks(const Component& component) {
  for (const int32_t l : component.links) {
    if (state_.link(l).sweep) state_.Sweep(l);
  }
}

void NativeEngine::Solve(int32_t at) {
  for (;;) {
    Component& component = components_.at(at);
    size_t same = component.links.size();
    for (size_t i = component.links.size(); i-- > 0;) {
      if (state_.link(component.links[i]).changed) same = i;
    }
    const std::vector<int32_t> broken = filling_.Run(component.links, same, component.checkpoints);
    if (broken.empty()) break;
    for (const int32_t v : broken) TakeApart(v);
    SweepLinks(components_.at(at));
    Place();
  }
  Component& component = components_.at(at);
  component.next = kForever;
  ++component.version;
  double until = kNever;  // seconds: what ends later is not the next to end
  for (const int32_t l : component.links) {
    LinkState& link = state_.link(l);
    link.ends = kForever;
    if (link.level == kNever || link.level == 0) continue;
    const Due* const due = state_.Earliest(l);
    if (due == nullptr || due->at - link.volume > link.level * until) continue;
    link.ends = EndOf(component.updated, due->at - link.volume, link.level);
    component.next = std::min(component.next, link.ends);
    until = static_cast<double>(component.next - component.updated) / 1e12 * (1 + 1e-9);
  }
  if (component.next < kForever) {
    ends_.push({component.next, at, component.version});
  }
}

int64_t NativeEngine::NextTime() {
  Settle();
  if (!ended_now_.empty()) return now_;
  while (!ends_.empty() && components_.at(ends_.top().component).version != ends_.top().version) {
    ends_.pop();
  }
  int64_t next = kForever;
  if (!ends_.empty()) next = std::min(next, ends_.top().time);
  while (!runs_.empty() && !IsRun(runs_.top())) runs_.pop();
  if (!runs_.empty()) next = std::min(next, runs_.top().time);
  if (!waiting_.empty()) next = std::min(next, waiting_.top().time);
  return next;
}

Duration NativeEngine::Next() { return Duration(NextTime()); }

void NativeEngine::EnterWaiting() {
  while (!waiting_.empty() && waiting_.top().time == now_) {
    const Waiting what = waiting_.top();
    waiting_.pop();
    Enter(what);
  }
}

void NativeEngine::AdvanceTo(Duration time, std::vector<Ended>& ended) {
  PIPESCOPE_CHECK(time >= Duration(now_));
  for (int64_t next = NextTime(); next <= time.picoseconds(); next = NextTime()) {
    if (next == kForever) break;
    now_ = next;
    while (!ends_.empty() && ends_.top().time == now_) {
      const NextEnd end = ends_.top();
      ends_.pop();
      if (components_.at(end.component).version == end.version) EndIn(end.component);
    }
    EndRuns();
    EnterWaiting();
    Flush(ended);
  }
  now_ = time.picoseconds();
}

// By id, with neighbours joined.
void NativeEngine::Flush(std::vector<Ended>& ended) {
  std::sort(ended_now_.begin(), ended_now_.end(),
            [](const Ended& a, const Ended& b) { return a.first < b.first; });
  const size_t before = ended.size();
  for (const Ended& e : ended_now_) {
    if (ended.size() > before && ended.back().first + ended.back().count == e.first) {
      ended.back().count += e.count;
    } else {
      ended.push_back(e);
    }
  }
  ended_now_.clear();
  Settle();
  for (const int32_t b : finished_) batches_[static_cast<size_t>(b)].pattern = nullptr;
  finished_.clear();
}

}  // namespace pipescope::flow
