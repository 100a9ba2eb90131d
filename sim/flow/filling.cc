#include "sim/flow/filling.h"

#include <algorithm>
#include <queue>
#include <utility>

namespace pipescope::flow {
namespace {

// Levels that differ by less, relatively, are one: rounding, not a bottleneck. It never adds up,
// since each filling starts from the capacities.
constexpr double kSlack = 1e-12;
constexpr size_t kWindow = 12;
constexpr size_t kEvery = 64;  // links between checkpoints
constexpr int kTries = 8;      // to go back, before the heap

}  // namespace

void Filling::Begin(const std::vector<int32_t>& order) {
  ++round_;
  indirect_ = false;
  broken_.clear();
  if (room_.size() < state_.links()) {
    room_.resize(state_.links());
    full_.resize(state_.links());
    weighted_.resize(state_.links());
    overtaken_.resize(state_.links());
    count_.resize(state_.links());
    place_.resize(state_.links());
    level_.resize(state_.links());
  }
  for (const int32_t l : order) {
    room(l) = {state_.link(l).capacity, state_.link(l).weight};
    full_[static_cast<size_t>(l)] = 0;
    weighted_[static_cast<size_t>(l)] = state_.link(l).weighted;
  }
}

bool Filling::OverCapacity(int32_t l) const {
  return room(l).free < -kSlack * state_.link(l).capacity;
}

size_t Filling::TakeUp(const std::vector<int32_t>& order, const Checkpoint& checkpoint) {
  for (size_t i = 0; i < checkpoint.at; ++i) full_[static_cast<size_t>(order[i])] = 1;
  for (const Checkpoint::Link& l : checkpoint.links) {
    const LinkState& link = state_.link(l.link);
    room(l.link) = {link.capacity - l.used, link.weight - l.fixed};
  }
  return checkpoint.at;
}

void Filling::Save(const std::vector<int32_t>& order, size_t at, double level,
                   std::vector<Checkpoint>& checkpoints) const {
  Checkpoint& c = checkpoints.emplace_back();
  c.at = at;
  c.level = level;
  c.links.reserve(order.size() - at);
  for (size_t i = at; i < order.size(); ++i) {
    const LinkState& link = state_.link(order[i]);
    const Room& r = room(order[i]);
    c.links.push_back({order[i], link.capacity - r.free, link.weight - r.rising});
  }
}

// The window stays in the order of the last time, so that the links which the chosen one overtakes
// are those before it.
double Filling::Choose(std::vector<int32_t>& order, size_t at, bool& late) {
  const size_t size = std::min(order.size() - at, kWindow);
  size_t best = 0;
  double least = Candidate(order[at]);
  for (size_t j = 1; j < size; ++j) {
    const double candidate = Candidate(order[at + j]);
    best = candidate < least ? j : best;
    least = std::min(least, candidate);
  }
  best += at;
  const int32_t chosen = order[best];
  for (size_t j = best; j > at; --j) {
    order[j] = order[j - 1];
    if (!state_.Meet(chosen, order[j])) continue;
    late = true;
    overtaken_[static_cast<size_t>(order[j])] = 1;
  }
  order[at] = chosen;
  return least;
}

size_t Filling::GoBack(std::vector<int32_t>& order, size_t at, double level,
                       std::vector<Checkpoint>& checkpoints) {
  // Candidates only grow, so it was at most at this level before.
  while (!checkpoints.empty() && checkpoints.back().level > level) checkpoints.pop_back();
  given_up_ = true;
  const size_t to = checkpoints.empty() ? 0 : checkpoints.back().at;
  filled_ = std::min(filled_, to);
  const int32_t late = order[at];
  state_.link(late).changed = true;  // what it may own now was the others'
  const auto begin = order.begin();
  std::rotate(begin + static_cast<int64_t>(to), begin + static_cast<int64_t>(at),
              begin + static_cast<int64_t>(at) + 1);
  for (size_t i = to; i < std::min(order.size(), at + kWindow); ++i) {
    full_[static_cast<size_t>(order[i])] = 0;
    overtaken_[static_cast<size_t>(order[i])] |= static_cast<uint8_t>(state_.Meet(late, order[i]));
  }
  if (to == 0) {
    Begin(order);
  } else {
    ++round_;  // what was fixed indirectly since is not any more
    TakeUp(order, checkpoints.back());
  }
  return to;
}

// Whether nothing is left to be filled from place `at` on; then those links hold nothing back.
bool Filling::CloseRest(const std::vector<int32_t>& order, size_t at) {
  for (size_t i = at; i < order.size(); ++i) {
    if (room(order[i]).rising > 0 || OverCapacity(order[i])) return false;
  }
  for (size_t i = at; i < order.size(); ++i) Fill(order[i], kNever, false);
  return true;
}

bool Filling::FillInOrder(std::vector<int32_t>& order, std::vector<Checkpoint>& checkpoints) {
  double last = checkpoints.empty() ? 0 : checkpoints.back().level;
  size_t from = checkpoints.empty() ? 0 : TakeUp(order, checkpoints.back());
  const bool all = given_up_;
  int tries = kTries;
  for (size_t i = from; i < order.size(); ++i) {
    // What is fixed indirectly is not in a checkpoint, so none is made once something was.
    if (i > from && i % kEvery == 0 && !indirect_) Save(order, i, last, checkpoints);
    bool late = false;
    const double least = Choose(order, i, late);
    if (least == kNever && CloseRest(order, i)) return true;
    if (least == kNever ? OverCapacity(order[i]) : least < last * (1 - kSlack)) {
      if (tries-- == 0) return false;
      // Where all on it was fixed by others, its level was at least what it was at first.
      const LinkState& link = state_.link(order[i]);
      from = GoBack(order, i, std::min(least, link.capacity / link.weight), checkpoints);
      if (from == 0) tries = most_changed_ ? 0 : tries / 2;
      last = checkpoints.empty() ? 0 : checkpoints.back().level;
      i = from - 1;  // or none before 0
      continue;
    }
    if (least != kNever) last = std::max(last, least);
    const int32_t l = order[i];
    Fill(l, least, all || late || state_.link(l).changed);
    if (!broken_.empty()) return true;
  }
  return true;
}

void Filling::FillByHeap(std::vector<int32_t>& order) {
  using Key = std::pair<double, int32_t>;
  std::priority_queue<Key, std::vector<Key>, std::greater<>> heap;
  for (const int32_t l : order) heap.push({Candidate(l), l});
  order.clear();
  while (!heap.empty()) {
    const auto [key, l] = heap.top();
    heap.pop();
    const double candidate = Candidate(l);
    if (candidate > key) {  // candidates only grow, so the one on top is the least once up to date
      heap.push({candidate, l});
      continue;
    }
    order.push_back(l);
    Fill(l, candidate, true);
    if (!broken_.empty()) {
      for (; !heap.empty(); heap.pop()) order.push_back(heap.top().second);
      return;
    }
  }
}

std::vector<int32_t> Filling::Run(std::vector<int32_t>& order, size_t same,
                                  std::vector<Checkpoint>& checkpoints) {
  const auto changed = std::count_if(order.begin(), order.end(),
                                     [this](int32_t l) { return state_.link(l).changed; });
  most_changed_ = 2 * static_cast<size_t>(changed) > order.size();
  Begin(order);
  for (size_t i = 0; i < order.size(); ++i) {
    place_[static_cast<size_t>(order[i])] = static_cast<int32_t>(i);
    overtaken_[static_cast<size_t>(order[i])] = 0;
  }
  while (!checkpoints.empty() && checkpoints.back().at > same) checkpoints.pop_back();
  filled_ = checkpoints.empty() ? 0 : checkpoints.back().at;
  if (!FillInOrder(order, checkpoints)) {
    given_up_ = true;
    filled_ = 0;
    checkpoints.clear();
    Begin(order);
    FillByHeap(order);
  }
  if (!broken_.empty()) {
    given_up_ = true;
    checkpoints.clear();
    return broken_;
  }
  for (size_t i = filled_; i < order.size(); ++i) {
    LinkState& link = state_.link(order[i]);
    link.level = level_[static_cast<size_t>(order[i])];
    link.changed = false;
  }
  SetOwners(order);
  return {};
}

// A filling that was given up half way, or went back, has found owners that are none: then a
// variable's owner is the first of its links.
void Filling::SetOwners(const std::vector<int32_t>& order) {
  if (std::exchange(given_up_, false)) {
    for (size_t i = 0; i < order.size(); ++i) {
      place_[static_cast<size_t>(order[i])] = static_cast<int32_t>(i);
    }
    std::erase_if(found_, [this](const Found& f) { return !state_.variable(f.variable).entered; });
    for (Found& f : found_) {
      const Variable& v = state_.variable(f.variable);
      f.owner = *std::min_element(v.links, v.links + v.count, [this](int32_t a, int32_t b) {
        return place_[static_cast<size_t>(a)] < place_[static_cast<size_t>(b)];
      });
    }
  }
  for (const Found& f : found_) state_.SetOwner(f.variable, f.owner);
  Empty(found_);
}

}  // namespace pipescope::flow
