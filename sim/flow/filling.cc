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

}  // namespace

void Filling::Begin(const std::vector<int32_t>& order) {
  ++round_;
  broken_.clear();
  if (room_.size() < state_.links()) {
    room_.resize(state_.links());
    full_.resize(state_.links());
    level_.resize(state_.links());
  }
  for (const int32_t l : order) {
    room(l) = {state_.link(l).capacity, state_.link(l).weight};
    full_[static_cast<size_t>(l)] = 0;
  }
}

double Filling::Candidate(int32_t l) {
  Room& r = room(l);
  const LinkState& link = state_.link(l);
  if (link.weighted && r.rising <= 1e-9 * link.weight) r.rising = Rising(l);
  return r.rising > 0 ? std::max(0.0, r.free) / r.rising : kNever;
}

double Filling::Rising(int32_t l) const {
  const std::vector<int32_t>& stream = state_.link(l).stream;
  double sum = 0;
  for (size_t p = 0; p < stream.size();) {
    const Variable& v = state_.variable(stream[p] >> 1);
    bool rises = true;
    if (stream[p + 1] == kIndirect) {
      rises = v.fixed_in != round_;
    } else {
      for (int32_t k = 0; k < v.count; ++k) rises &= full_[static_cast<size_t>(v.links[k])] == 0;
    }
    if (rises) sum += v.WeightOn(l);
    p += 2 + static_cast<size_t>(std::max(0, stream[p + 1]));
  }
  return sum;
}

bool Filling::OverCapacity(int32_t l) const {
  return room(l).free < -kSlack * state_.link(l).capacity;
}

bool Filling::FillInOrder(std::vector<int32_t>& order) {
  double last = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    size_t best = i;
    double least = Candidate(order[i]);
    const size_t end = std::min(order.size(), i + kWindow);
    for (size_t j = i + 1; j < end; ++j) {
      const double candidate = Candidate(order[j]);
      if (candidate < least) {
        least = candidate;
        best = j;
      }
    }
    std::swap(order[i], order[best]);
    if (least == kNever) {
      if (OverCapacity(order[i])) return false;
    } else if (least < last * (1 - kSlack)) {
      return false;
    } else {
      last = std::max(last, least);
    }
    Fill(order[i], least);
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
    Fill(l, candidate);
    if (!broken_.empty()) {
      for (; !heap.empty(); heap.pop()) order.push_back(heap.top().second);
      return;
    }
  }
}

void Filling::SetOwnership(int32_t& head, int32_t l, bool owned) {
  head ^= 1;
  if (owned) found_.push_back({head >> 1, l});
}

void Filling::Fill(int32_t l, double level) {
  level_[static_cast<size_t>(l)] = level;
  full_[static_cast<size_t>(l)] = 1;
  std::vector<int32_t>& stream = state_.link(l).stream;
  int32_t* const end = stream.data() + stream.size();
  for (int32_t* p = stream.data(); p < end;) {
    int32_t* const head = p;
    const int32_t n = p[1];
    p += 2;
    if (n == 1) {
      // The commonest route, two links. What this does to a link that is already full is not read.
      const int32_t other = *p++;
      Room& r = room(other);
      const bool owned = full_[static_cast<size_t>(other)] == 0;
      r.free -= level;
      r.rising -= 1;
      if (owned != ((*head & 1) != 0)) SetOwnership(*head, l, owned);
      continue;
    }
    if (n == kIndirect) {
      const int32_t v = *head >> 1;
      const bool owned = state_.variable(v).fixed_in != round_;
      if (owned) FixIndirect(l, v, level);
      if (owned != ((*head & 1) != 0)) SetOwnership(*head, l, owned);
      continue;
    }
    bool owned = true;
    for (int32_t k = 0; k < n; ++k) owned &= full_[static_cast<size_t>(p[k])] == 0;
    for (int32_t k = 0; owned && k < n; ++k) {
      room(p[k]).free -= level;
      room(p[k]).rising -= 1;
    }
    p += n;
    if (owned != ((*head & 1) != 0)) SetOwnership(*head, l, owned);
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
  int32_t begin = 0;
  for (const int32_t end : v.flow_class->orbit_end) {
    const auto* const from = v.links + begin;
    const auto* const to = v.links + end;
    begin = end;
    if (std::find(from, to, l) == to) continue;
    return std::all_of(from, to, [&](int32_t other) {
      return other == l || Candidate(other) <= level * (1 + kSymmetric);
    });
  }
  return false;
}

std::vector<int32_t> Filling::Run(std::vector<int32_t>& order) {
  Begin(order);
  if (!FillInOrder(order)) {
    given_up_ = true;
    Begin(order);
    FillByHeap(order);
  }
  if (!broken_.empty()) {
    given_up_ = true;
    return broken_;
  }
  for (const int32_t l : order) state_.link(l).level = level_[static_cast<size_t>(l)];
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
    const std::vector<int32_t>& stream = state_.link(l).stream;
    for (size_t p = 0; p < stream.size();
         p += 2 + static_cast<size_t>(std::max(0, stream[p + 1]))) {
      if ((stream[p] & 1) != 0) found_.push_back({stream[p] >> 1, l});
    }
  }
}

}  // namespace pipescope::flow
