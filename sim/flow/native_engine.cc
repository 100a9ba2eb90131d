#include "sim/flow/native_engine.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/base/result.h"

namespace pipescope::flow {
namespace {

constexpr int64_t kForever = std::numeric_limits<int64_t>::max();

}  // namespace

// The first picosecond at which `bytes` have moved since `from`. What ends within a thousandth of a
// picosecond after one ends there: flows that are equal but for rounding end together.
int64_t NativeEngine::EndOf(int64_t from, double bytes, double rate) {
  if (bytes <= 0) return from;
  const double picoseconds = bytes / rate * 1e12;
  if (!(picoseconds < 9e18)) return kForever;
  const int64_t whole = static_cast<int64_t>(std::ceil(picoseconds - 1e-3));
  return whole > kForever - from ? kForever : from + whole;
}

NativeEngine::NativeEngine(const Network& network)
    : state_(network), components_(state_), filling_(state_) {}

FlowId NativeEngine::Add(std::shared_ptr<const Pattern> pattern) {
  const FlowId first = flows_;
  const FlowBatch& flows = pattern->batch();
  if (flows.size() == 0) return first;
  flows_ += flows.size();
  const int32_t b = static_cast<int32_t>(batches_.size());
  batches_.push_back({pattern, first, flows.size()});
  state_.Reserve(*pattern);
  const auto add = [&](int32_t member, int32_t class_number) {
    const int64_t latency = flows.Latency(member).picoseconds();
    const Waiting what = {(Duration(now_) + Duration(latency)).picoseconds(), b, member,
                          class_number};
    if (latency == 0) {
      Enter(what);
    } else {
      waiting_.push(what);
    }
  };
  for (size_t c = 0; c < pattern->classes().size(); ++c) {
    add(pattern->classes()[c].members.front(), static_cast<int32_t>(c));
  }
  for (const int32_t member : pattern->single()) add(member, -1);
  return first;
}

void NativeEngine::Enter(const Waiting& what) {
  if (what.class_number >= 0) {
    EnterClass(what);
  } else {
    const FlowBatch& flows = PatternOf(what.batch).batch();
    EnterFlow(what.batch, what.member,
              static_cast<double>(flows.bytes[static_cast<size_t>(what.member)].value()));
  }
}

void NativeEngine::EnterClass(const Waiting& what) {
  const Batch& batch = batches_[static_cast<size_t>(what.batch)];
  const FlowBatch& flows = batch.pattern->batch();
  const FlowClass& c = batch.pattern->classes()[static_cast<size_t>(what.class_number)];
  const int32_t front = c.members.front();
  const double bytes = static_cast<double>(flows.bytes[static_cast<size_t>(front)].value());
  const bool whole = cancelled_.empty() ||
                     std::none_of(c.members.begin(), c.members.end(),
                                  [&](int32_t f) { return cancelled_.contains(batch.first + f); });
  if (!whole || bytes == 0 || !state_.HasEqualOrbits(c)) {
    for (const int32_t f : c.members) EnterFlow(what.batch, f, bytes);
    return;
  }
  const int32_t v = state_.AddVariable();
  Variable& var = state_.variable(v);
  var.batch = what.batch;
  var.flow_class = &c;
  var.route = {c.links.data(), c.weights.data(), static_cast<int32_t>(c.links.size())};
  Start(v, bytes);
}

void NativeEngine::EnterFlow(int32_t b, int32_t member, double bytes) {
  const Batch& batch = batches_[static_cast<size_t>(b)];
  if (!cancelled_.empty() && cancelled_.erase(batch.first + member) > 0) return;
  const FlowBatch& flows = batch.pattern->batch();
  const auto route = flows.Route(member);
  if (bytes == 0 || (route.empty() && flows.Cap(member) == Bandwidth(0))) {
    Report(b, nullptr, member);
    return;
  }
  const int32_t v = state_.AddVariable();
  Variable& var = state_.variable(v);
  var.batch = b;
  var.member = member;
  var.route = {route.data(), flows.weights.empty() ? nullptr : flows.Weights(member).data(),
               static_cast<int32_t>(route.size())};
  Start(v, bytes);
}

void NativeEngine::Start(int32_t v, double bytes) {
  Variable& var = state_.variable(v);
  var.due = bytes;
  var.since = now_;
  var.most = MostOf(var);
  state_.Arrive(v);
  ++variables_;
  Queue(v);
}

void NativeEngine::MarkDirty(int32_t c) {
  if (std::exchange(components_.at(c).dirty, true)) return;
  dirty_.push_back(c);
}

void NativeEngine::Leave(int32_t v) {
  if (state_.variable(v).entered) TakeOff(v);
  state_.Depart(v);
  gone_.push_back(v);
  --variables_;
}

// A class becomes its flows, which go on where it was.
void NativeEngine::TakeApart(int32_t v) {
  const double left = Left(v);
  const FlowClass& c = *state_.variable(v).flow_class;
  const int32_t batch = state_.variable(v).batch;
  Leave(v);
  for (const int32_t f : c.members) EnterFlow(batch, f, left);
}

void NativeEngine::Report(int32_t b, const Variable* v, int32_t member) {
  Batch& batch = batches_[static_cast<size_t>(b)];
  const auto add = [&](int32_t f) {
    const FlowId id = batch.first + f;
    if (!ended_now_.empty() && ended_now_.back().first + ended_now_.back().count == id) {
      ++ended_now_.back().count;
    } else {
      ended_now_.push_back({Duration(now_), id, 1});
    }
  };
  if (v == nullptr || v->flow_class == nullptr) {
    add(v == nullptr ? member : v->member);
    --batch.left;
  } else {
    for (const int32_t f : v->flow_class->members) add(f);
    batch.left -= static_cast<int64_t>(v->flow_class->members.size());
  }
  if (batch.left == 0) finished_.push_back(b);
}

// Ends all in component c that is due now.
void NativeEngine::EndIn(int32_t at) {
  Component& component = components_.at(at);
  for (const int32_t l : component.links) {
    const LinkState& link = state_.link(l);
    if (link.ends > now_ || link.level == kNever || link.level == 0) continue;
    while (const Due* due = state_.Earliest(l)) {
      if (EndOf(component.updated, due->at - link.volume, link.level) > now_) break;
      const int32_t v = due->variable;
      state_.PopEarliest(l);
      const Variable& var = state_.variable(v);
      Report(var.batch, &var, -1);
      Leave(v);
    }
  }
  components_.Bring(component, now_);
  MarkDirty(at);
}

}  // namespace pipescope::flow
