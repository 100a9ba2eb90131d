// Entering variables on links and taking them off.
#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/flow/state.h"

namespace pipescope::flow {
namespace {

// Longer routes are read from the variable: entries hold a route once per link of it.
constexpr int32_t kMostInline = 8;

bool IsIndirect(const Variable& v) { return v.weights != nullptr || v.count > kMostInline; }

}  // namespace

void FlowState::SetEntered(int32_t v, bool entered) {
  variable(v).entered = entered;
  entered_.resize(variables_.size());
  entered_[static_cast<size_t>(v)] = entered;
}

void FlowState::Introduce(const Variable& v) {
  if (!IsIndirect(v)) return neighbours_.Add(v.links, v.count);
  for (int32_t k = 0; k < v.count; ++k) neighbours_.AddAll(v.links[k]);
}

void FlowState::FindNeighbours(const std::vector<int32_t>& links) {
  for (const int32_t l : links) neighbours_.Clear(l);
  for (const int32_t l : links) {
    ForEachOn(l, [&](int32_t v) {
      if (variable(v).links[0] == l) Introduce(variable(v));
    });
  }
}

void FlowState::Attach(int32_t v) {
  Variable& var = variable(v);
  SetEntered(v, true);
  Introduce(var);
  const bool indirect = IsIndirect(var);
  for (int32_t k = 0; k < var.count; ++k) {
    LinkState& l = link(var.links[k]);
    const double weight = var.weights == nullptr ? 1 : var.weights[k];
    l.changed = true;
    l.weight += weight;
    l.weighted |= weight != std::floor(weight);
    ++l.variables;
    const int32_t others = indirect ? kIndirect : var.count - 1;
    auto entries = std::find_if(l.crossing.begin(), l.crossing.end(),
                                [&](const Entries& e) { return e.others() == others; });
    if (entries == l.crossing.end()) entries = l.crossing.emplace(entries, others);
    entries->Add(v, var.links, var.links[k]);
  }
}

void FlowState::Detach(int32_t v) {
  Variable& var = variable(v);
  SetEntered(v, false);
  for (int32_t k = 0; k < var.count; ++k) {
    LinkState& l = link(var.links[k]);
    l.weight -= var.weights == nullptr ? 1 : var.weights[k];
    --l.variables;
    l.sweep = true;
    l.changed = true;
  }
}

void FlowState::UseLinks(int32_t v, const Route& links) {
  Variable& var = variable(v);
  if (std::exchange(var.owns_links, false)) {
    pool_.GiveBack({const_cast<int32_t*>(var.links), const_cast<double*>(var.weights)}, var.count);
  }
  var.links = links.links;
  var.weights = links.weights;
  var.count = links.count;
}

RouteBlock FlowState::TakeOwnLinks(int32_t v, int32_t count, bool weighted) {
  const RouteBlock block = pool_.Take(count, weighted);
  UseLinks(v, {block.links, block.weights, count});
  variable(v).owns_links = true;
  return block;
}

void FlowState::FreeVariable(int32_t v) {
  UseLinks(v, {});
  free_variables_.push_back(v);
}

void FlowState::Sweep(int32_t at) {
  LinkState& l = link(at);
  l.sweep = false;
  if (l.variables == 0) {  // exact zeros, so that rounding cannot pile up
    l.crossing.clear();
    l.due.clear();
    l.weight = 0;
    l.volume = 0;
    l.level = kNever;
    l.weighted = false;
    l.tallied = false;
    neighbours_.Clear(at);
    return;
  }
  for (Entries& entries : l.crossing) {
    const size_t owned = entries.owned();
    entries.Keep([&](int32_t v) { return entered_[static_cast<size_t>(v)] != 0; });
    if (entries.owned() < owned) l.tallied = false;
  }
  if (!l.weighted) return;
  l.weight = 0;
  ForEachOn(at, [&](int32_t v) { l.weight += variable(v).WeightOn(at); });
}

}  // namespace pipescope::flow
