#include "sim/flow/filling.h"

#include <algorithm>
#include <queue>
#include <utility>

namespace pipescope::flow {
namespace {

// Levels that differ by less, relatively, are one: rounding, not a bottleneck. It never adds up,
// since each filling starts from the capacities.
constexpr double kSlack = 1e-12;
// The same for the links of an orbit, whose sums are made in different orders.
constexpr double kSymmetric = 1e-10;
constexpr size_t kWindow = 16;
constexpr size_t kEvery = 32;  // links between checkpoints

}  // namespace

void Filling::Begin(const std::vector<int32_t>& order) {
  ++round_;
  indirect_ = false;
  broken_.clear();
  if (room_.size() < state_.links()) {
    room_.resize(state_.links());
    full_.resize(state_.links());
    weighted_.resize(state_.links());
    place_.resize(state_.links());
    level_.resize(state_.links());
  }
  int32_t place = 0;
  for (const int32_t l : order) {
    place_[static_cast<size_t>(l)] = place++;
    room(l) = {state_.link(l).capacity, state_.link(l).weight};
    full_[static_cast<size_t>(l)] = 0;
    weighted_[static_cast<size_t>(l)] = state_.link(l).weighted;
  }
}

inline double Filling::Candidate(int32_t l) {
  Room& r = room(l);
  if (weighted_[static_cast<size_t>(l)] != 0 && r.rising <= 1e-9 * state_.link(l).weight) {
    r.rising = Rising(l);
  }
  return r.rising > 0 ? std::max(0.0, r.free) / r.rising : kNever;
}

double Filling::Rising(int32_t l) const {
  double sum = 0;
  for (const Entries& entries : state_.link(l).crossing) {
    for (size_t i = 0; i < entries.size(); ++i) {
      if (!IsFixed(entries, i)) sum += state_.variable(entries.variable(i)).WeightOn(l);
    }
  }
  return sum;
}

bool Filling::IsFixed(const Entries& entries, size_t i) const {
  if (entries.others() == kIndirect) {
    return state_.variable(entries.variable(i)).fixed_in == round_;
  }
  const int32_t* const links = entries.links(i);
  for (int32_t k = 0; k < entries.others(); ++k) {
    if (full_[static_cast<size_t>(links[k])] != 0) return true;
  }
  return false;
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

double Filling::Choose(std::vector<int32_t>& order, size_t at, bool& late) {
  const size_t end = std::min(order.size(), at + kWindow);
  size_t best = at;
  double least = Candidate(order[at]);
  for (size_t j = at + 1; j < end; ++j) {
    const double candidate = Candidate(order[j]);
    if (candidate < least) {
      least = candidate;
      best = j;
    }
  }
  std::swap(order[at], order[best]);
  // Links beyond the window are in the places they had.
  const int32_t place = place_[static_cast<size_t>(order[at])];
  for (size_t j = at + 1; j < end; ++j) late |= place_[static_cast<size_t>(order[j])] < place;
  return least;
}

bool Filling::FillInOrder(std::vector<int32_t>& order, std::vector<Checkpoint>& checkpoints) {
  double last = checkpoints.empty() ? 0 : checkpoints.back().level;
  const size_t from = checkpoints.empty() ? 0 : TakeUp(order, checkpoints.back());
  for (size_t i = from; i < order.size(); ++i) {
    // What is fixed indirectly is not in a checkpoint, so none is made once something was.
    if (i > from && i % kEvery == 0 && !indirect_) Save(order, i, last, checkpoints);
    bool late = false;
    const double least = Choose(order, i, late);
    if (least == kNever) {
      if (OverCapacity(order[i])) return false;
    } else if (least < last * (1 - kSlack)) {
      return false;
    } else {
      last = std::max(last, least);
    }
    const int32_t l = order[i];
    Fill(l, least, given_up_ || late || state_.link(l).changed);
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

// Fills from entries of routes with kOthers other links (0: as many as the entries say). What it
// has of this class is in locals, and the length is a constant, since here the time is spent.
template <int kOthers>
void Filling::FillDirect(int32_t l, double level, bool all, Entries& entries) {
  const int32_t others = kOthers == 0 ? entries.others() : kOthers;
  Room* const rooms = room_.data();
  const uint8_t* const full = full_.data();
  const auto fix = [&](size_t i) {
    const int32_t* const links = entries.links(i);
    int fixed = 0;
    for (int32_t k = 0; k < others; ++k) fixed |= full[links[k]];
    if (fixed != 0) return false;
    for (int32_t k = 0; k < others; ++k) {
      rooms[links[k]].free -= level;
      rooms[links[k]].rising -= 1;
    }
    return true;
  };
  for (size_t i = 0; i < entries.owned();) {
    if (fix(i)) {
      ++i;
    } else {
      entries.Disown(i);
    }
  }
  if (!all) return;
  const size_t size = entries.size();
  for (size_t i = entries.owned(); i < size; ++i) {
    if (!fix(i)) continue;
    found_.push_back({entries.variable(i), l});
    entries.Own(i);
  }
}

void Filling::FillIndirect(int32_t l, double level, Entries& entries) {
  indirect_ = true;
  for (size_t i = 0; i < entries.size(); ++i) {
    const int32_t v = entries.variable(i);
    const bool owns = state_.variable(v).fixed_in != round_ && level != kNever;
    if (owns) FixIndirect(l, v, level);
    if (owns && i >= entries.owned()) {
      found_.push_back({v, l});
      entries.Own(i);
    } else if (!owns && i < entries.owned()) {
      entries.Disown(i--);
    }
  }
}

// `all`: something that it did not own may be its own now.
void Filling::Fill(int32_t l, double level, bool all) {
  level_[static_cast<size_t>(l)] = level;
  full_[static_cast<size_t>(l)] = 1;
  for (Entries& entries : state_.link(l).crossing) {
    switch (entries.others()) {
      case kIndirect:
        FillIndirect(l, level, entries);
        break;
      case 1:
        FillDirect<1>(l, level, all, entries);
        break;
      case 3:
        FillDirect<3>(l, level, all, entries);
        break;
      case 5:
        FillDirect<5>(l, level, all, entries);
        break;
      default:
        FillDirect<0>(l, level, all, entries);
    }
  }
}

void Filling::FixIndirect(int32_t l, int32_t at, double level) {
  Variable& v = state_.variable(at);
  if (v.flow_class != nullptr && !Covers(l, v, level)) broken_.push_back(at);
  v.fixed_in = round_;
  for (int32_t k = 0; k < v.count; ++k) {
    Room& r = room(v.links[k]);
    const double weight = v.weights == nullptr ? 1 : v.weights[k];
    r.free -= weight * level;
    r.rising -= weight;
  }
}

bool Filling::Covers(int32_t l, const Variable& v, double level) {
  if (l == v.cap_link) return true;  // every member has that cap
  const std::vector<int32_t>& links = v.flow_class->links;
  auto from = links.begin();
  for (const int32_t end : v.flow_class->orbit_end) {
    const auto to = links.begin() + end;
    if (std::find(from, to, l) != to) {
      return std::all_of(from, to, [&](int32_t other) {
        return other == l ||
               (state_.IsTight(other) && Candidate(other) <= level * (1 + kSymmetric));
      });
    }
    from = to;
  }
  return false;
}

std::vector<int32_t> Filling::Run(std::vector<int32_t>& order, size_t same,
                                  std::vector<Checkpoint>& checkpoints) {
  Begin(order);
  while (!checkpoints.empty() && checkpoints.back().at > same) checkpoints.pop_back();
  size_t filled = checkpoints.empty() ? 0 : checkpoints.back().at;
  if (!FillInOrder(order, checkpoints)) {
    given_up_ = true;
    filled = 0;
    checkpoints.clear();
    Begin(order);
    FillByHeap(order);
  }
  if (!broken_.empty()) {
    given_up_ = true;
    checkpoints.clear();
    return broken_;
  }
  for (size_t i = filled; i < order.size(); ++i) {
    LinkState& link = state_.link(order[i]);
    link.level = level_[static_cast<size_t>(order[i])];
    link.changed = false;
  }
  if (std::exchange(given_up_, false)) FindOwned(order);
  for (const Found& f : found_) state_.SetOwner(f.variable, f.owner);
  found_.clear();
  return {};
}

// What a filling that was given up half way marked as owned is right again after one that was not,
// but not what it found to have changed.
void Filling::FindOwned(const std::vector<int32_t>& order) {
  found_.clear();
  for (const int32_t l : order) {
    for (const Entries& entries : state_.link(l).crossing) {
      for (size_t i = 0; i < entries.owned(); ++i) found_.push_back({entries.variable(i), l});
    }
  }
}

}  // namespace pipescope::flow
