// Where the native engine keeps a variable: entered on its tight links, or on its own.
#include <algorithm>
#include <utility>

#include "sim/flow/native_engine.h"

namespace pipescope::flow {

namespace {

// Members of a class are equal, and so are their links.
int32_t OneFlowOf(const Variable& var) {
  return var.flow_class == nullptr ? var.member : var.flow_class->members.front();
}

}  // namespace

// The least of its cap and of what each of its links can carry of it.
double NativeEngine::MostOf(const Variable& var) const {
  const FlowBatch& flows = PatternOf(var.batch).batch();
  const int32_t flow = OneFlowOf(var);
  const auto route = flows.Route(flow);
  const auto weights = flows.Weights(flow);
  double most = flows.Cap(flow) > Bandwidth(0) ? flows.Cap(flow).value() : kNever;
  for (size_t k = 0; k < route.size(); ++k) {
    const double weight = weights.empty() ? 1 : weights[k];
    most = std::min(most, state_.link(route[k]).capacity / weight);
  }
  return most;
}

double NativeEngine::Left(int32_t v) {
  const Variable& var = state_.variable(v);
  if (!var.entered) {
    return std::max(0.0, var.due - var.most * static_cast<double>(now_ - var.since) / 1e12);
  }
  components_.Bring(components_.at(state_.link(var.links[0]).component), now_);
  return state_.Left(v);
}

void NativeEngine::Queue(int32_t v) {
  if (!std::exchange(state_.variable(v).queued, true)) queue_.push_back(v);
}

// Off the links on which it is entered, whose volumes are of now. Their entries are swept before it
// is entered anew.
void NativeEngine::TakeOff(int32_t v) {
  Variable& var = state_.variable(v);
  const int32_t c = state_.link(var.links[0]).component;
  state_.Detach(v);
  --components_.at(c).variables;
  ++components_.at(c).gone;
  MarkDirty(c);
}

// The loose classes of the queue that meet a tight link; their flows are queued instead.
void NativeEngine::TakeLooseApart() {
  for (size_t i = 0; i < queue_.size(); ++i) {
    const Variable& var = state_.variable(queue_[i]);
    if (!var.alive || var.flow_class == nullptr || !var.flow_class->loose) continue;
    const int32_t* const end = var.route.links + var.route.count;
    if (std::any_of(var.route.links, end, [this](int32_t l) { return state_.IsTight(l); })) {
      TakeApart(queue_[i]);
    }
  }
}

// Finds a place for all that is queued, as the links are tight or not.
void NativeEngine::Place() {
  TakeLooseApart();
  std::erase_if(queue_, [this](int32_t v) { return !state_.variable(v).alive; });
  for (const int32_t v : queue_) {
    Variable& var = state_.variable(v);
    var.due = Left(v);
    var.since = now_;
    if (var.entered) TakeOff(v);
    var.owner = -1;
  }
  for (const int32_t v : queue_) {
    const Variable& var = state_.variable(v);
    for (int32_t k = 0; k < var.count; ++k) {
      if (state_.link(var.links[k]).sweep) state_.Sweep(var.links[k]);
    }
  }
  for (const int32_t v : queue_) {
    Variable& var = state_.variable(v);
    var.queued = false;
    int32_t tight = 0;
    for (int32_t k = 0; k < var.route.count; ++k) tight += state_.IsTight(var.route.links[k]);
    if (tight > 0) {
      EnterOnTight(v, tight);
    } else {
      RunAlone(v);
    }
  }
  Empty(queue_);
}

void NativeEngine::RunAlone(int32_t v) {
  Variable& var = state_.variable(v);
  state_.UseLinks(v, {});
  var.cap_link = -1;  // its component frees it
  ++var.run;
  if (const int64_t end = EndOf(now_, var.due, var.most); end < Duration::Max().picoseconds()) {
    runs_.push({end, v, var.serial, var.run});
  }
}

void NativeEngine::EnterOnTight(int32_t v, int32_t tight) {
  Variable& var = state_.variable(v);
  double through = kNever;  // what its tight links let through
  for (int32_t k = 0; k < var.route.count; ++k) {
    const int32_t l = var.route.links[k];
    if (state_.IsTight(l)) {
      through = std::min(through, state_.link(l).capacity / var.route.Weight(k));
    }
  }
  const bool capped = var.most < through;
  if (tight == var.route.count && !capped) {
    state_.UseLinks(v, var.route);
    var.cap_link = -1;
  } else {
    SetOwnRoute(v, tight, capped);
  }
  state_.Attach(v);
  const int32_t c = components_.Join(v, now_);
  ++components_.at(c).variables;
  MarkDirty(c);
}

// Its tight links, and one for its most.
void NativeEngine::SetOwnRoute(int32_t v, int32_t tight, bool capped) {
  Variable& var = state_.variable(v);
  if (capped) {
    if (var.cap_link < 0) var.cap_link = state_.AddLink(var.most);
    state_.link(var.cap_link).capacity = var.most;
  } else {
    var.cap_link = -1;  // its component frees it
  }
  const double* const weights = var.route.weights;
  const bool plain = var.flow_class == nullptr &&
                     (weights == nullptr || std::all_of(weights, weights + var.route.count,
                                                        [](double weight) { return weight == 1; }));
  const RouteBlock own = state_.TakeOwnLinks(v, tight + capped, !plain);
  int32_t at = 0;
  for (int32_t k = 0; k < var.route.count; ++k) {
    if (!state_.IsTight(var.route.links[k])) continue;
    if (!plain) own.weights[at] = var.route.Weight(k);
    own.links[at++] = var.route.links[k];
  }
  if (!capped) return;
  if (!plain) own.weights[at] = 1;
  own.links[at] = var.cap_link;
}

bool NativeEngine::IsRun(const Run& run) const {
  const Variable& var = state_.variable(run.variable);
  return var.alive && var.serial == run.serial && !var.entered && var.run == run.run;
}

void NativeEngine::EndRuns() {
  while (!runs_.empty() && runs_.top().time == now_) {
    const Run run = runs_.top();
    runs_.pop();
    if (!IsRun(run)) continue;
    const Variable& var = state_.variable(run.variable);
    Report(var.batch, &var, -1);
    Leave(run.variable);
  }
}

}  // namespace pipescope::flow
