#include "sim/flow/state.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace pipescope::flow {
namespace {

// What is asked for beyond a link's capacity, relatively, is rounding: of sums, and of caps that
// were worked out from times in whole picoseconds.
constexpr double kTight = 1e-9;

bool Later(const Due& a, const Due& b) {
  return a.at != b.at ? a.at > b.at : a.variable > b.variable;
}

}  // namespace

FlowState::FlowState(const Network& network)
    : network_links_(network.links.size()),
      links_(network.links.size()),
      neighbours_(network.links.size()) {
  for (size_t l = 0; l < links_.size(); ++l) links_[l].capacity = network.links[l].value();
}

int32_t FlowState::AddLink(double capacity) {
  int32_t l = static_cast<int32_t>(links_.size());
  if (free_links_.empty()) {
    links_.emplace_back();
  } else {
    l = free_links_.back();
    free_links_.pop_back();
    link(l) = LinkState();
  }
  link(l).capacity = capacity;
  return l;
}

int32_t FlowState::AddVariable() {
  int32_t v = static_cast<int32_t>(variables_.size());
  if (free_variables_.empty()) {
    variables_.emplace_back();
  } else {
    v = free_variables_.back();
    free_variables_.pop_back();
    variable(v) = Variable();
  }
  variable(v).alive = true;
  variable(v).serial = ++serials_;
  return v;
}

void FlowState::Reserve(const Pattern& pattern) {
  size_t more = pattern.classes().size() + pattern.single().size();
  more -= std::min(more, free_variables_.size());
  if (variables_.size() + more <= variables_.capacity()) return;
  variables_.reserve(std::max(variables_.size() + more, 2 * variables_.size()));
  std::vector<uint32_t> arrive(links_.size());
  for (const int32_t f : pattern.single()) {
    for (const int32_t l : pattern.batch().Route(f)) ++arrive[static_cast<size_t>(l)];
  }
  for (size_t l = 0; l < arrive.size(); ++l) {
    std::vector<Present>& present = links_[l].present;
    if (arrive[l] > 0) present.reserve(std::max(present.size() + arrive[l], 2 * present.size()));
  }
}

void FlowState::Touch(int32_t l) {
  if (!std::exchange(link(l).touched, true)) touched_.push_back(l);
}

void FlowState::Arrive(int32_t v) {
  const Variable& var = variable(v);
  for (int32_t k = 0; k < var.route.count; ++k) {
    LinkState& l = link(var.route.links[k]);
    l.present.push_back({v, var.serial});
    l.demand += var.route.Weight(k) * var.most;
    Touch(var.route.links[k]);
    if (l.cover < 0 || TakesMore(var, l.cover, var.route.links[k])) continue;
    l.cover = -1;
    l.bare = true;
  }
}

double FlowState::ShareOf(const Variable& v, int32_t l) const {
  for (int32_t k = 0; k < v.route.count; ++k) {
    if (v.route.links[k] == l) return v.route.Weight(k) / link(l).capacity;
  }
  return 0;
}

// Not of a class, whose members cross links of their own.
bool FlowState::TakesMore(const Variable& v, int32_t l, int32_t than) const {
  return v.flow_class == nullptr && ShareOf(v, l) >= ShareOf(v, than);
}

// What covers a link goes on doing so when variables end. None that is covered covers another, so
// that of two which cover each other one is left.
bool FlowState::IsCovered(int32_t l) {
  LinkState& at = link(l);
  if (at.cover >= 0 || at.bare) return at.cover >= 0;
  const auto first =
      std::find_if(at.present.begin(), at.present.end(), [this](auto& p) { return IsPresent(p); });
  const Variable& v = variable(first->variable);
  const Route& route = v.route;
  // Most links that have none are told by their first variable, a class by being one.
  const int32_t count = v.flow_class == nullptr ? route.count : 0;
  for (int32_t k = 0; k < count && at.cover < 0; ++k) {
    if (Covers(route.links[k], l)) at.cover = route.links[k];
  }
  at.bare = at.cover < 0;
  return !at.bare;
}

bool FlowState::Covers(int32_t cover, int32_t l) const {
  if (cover == l || link(cover).cover >= 0) return false;
  return std::all_of(link(l).present.begin(), link(l).present.end(), [&](const Present& p) {
    if (!IsPresent(p)) return true;
    const Variable& v = variable(p.variable);
    return TakesMore(v, cover, l);
  });
}

void FlowState::VoidCovers(int32_t l) {
  ForEachPresent(l, [this](int32_t v) {
    const Route& route = variable(v).route;
    for (int32_t k = 0; k < route.count; ++k) {
      link(route.links[k]).cover = -1;
      link(route.links[k]).bare = false;
      Touch(route.links[k]);
    }
  });
}

// Drops those that left. Rounding of the demand, some 1e-16 of it each time, starts anew with an
// empty link.
void FlowState::Forget(LinkState& l) {
  std::erase_if(l.present, [this](const Present& p) { return !IsPresent(p); });
  l.left = 0;
  if (!l.present.empty()) return;
  l.demand = 0;
  l.cover = -1;
  l.bare = false;
}

void FlowState::Depart(int32_t v) {
  Variable& var = variable(v);
  var.alive = false;
  for (int32_t k = 0; k < var.route.count; ++k) {
    LinkState& l = link(var.route.links[k]);
    l.demand -= var.route.Weight(k) * var.most;
    if (2 * static_cast<size_t>(++l.left) >= l.present.size()) Forget(l);
    Touch(var.route.links[k]);
  }
}

void FlowState::SetMost(int32_t v, double most) {
  Variable& var = variable(v);
  for (int32_t k = 0; k < var.route.count; ++k) {
    link(var.route.links[k]).demand += var.route.Weight(k) * (most - var.most);
    Touch(var.route.links[k]);
  }
  var.most = most;
}

bool FlowState::HasEqualOrbits(const FlowClass& c) const {
  size_t k = 0;
  for (const int32_t end : c.orbit_end) {
    const double capacity = link(c.links[k]).capacity;
    for (; k < static_cast<size_t>(end); ++k) {
      if (link(c.links[k]).capacity != capacity) return false;
    }
  }
  return true;
}

std::vector<int32_t> FlowState::Turned() {
  std::vector<int32_t> turned;
  for (const int32_t l : touched_) {
    LinkState& at = link(l);
    at.touched = false;
    const bool tight = at.demand > at.capacity * (1 + kTight) && !IsCovered(l);
    if (std::exchange(at.tight, tight) != tight) turned.push_back(l);
  }
  touched_.clear();
  return turned;
}

double FlowState::Left(int32_t v) const {
  const Variable& var = variable(v);
  return var.owner < 0 ? var.due : std::max(0.0, var.due - link(var.owner).volume);
}

void FlowState::SetOwner(int32_t v, int32_t l) {
  Variable& var = variable(v);
  if (var.owner == l) return;
  var.due = Left(v) + link(l).volume;
  var.owner = l;
  std::vector<Due>& heap = link(l).due;
  if (heap.size() > 64 + 2 * static_cast<size_t>(link(l).variables)) {
    std::erase_if(heap, [&](const Due& d) { return !Holds(l, d); });
    std::make_heap(heap.begin(), heap.end(), Later);
  }
  heap.push_back({var.due, v});
  std::push_heap(heap.begin(), heap.end(), Later);
}

const Due* FlowState::Earliest(int32_t l) {
  std::vector<Due>& heap = link(l).due;
  while (!heap.empty() && !Holds(l, heap.front())) PopEarliest(l);
  return heap.empty() ? nullptr : &heap.front();
}

void FlowState::PopEarliest(int32_t l) {
  std::vector<Due>& heap = link(l).due;
  std::pop_heap(heap.begin(), heap.end(), Later);
  heap.pop_back();
}

}  // namespace pipescope::flow
