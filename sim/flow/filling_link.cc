// Filling one link: what crosses it and is not fixed yet is, at the link's level.
#include <algorithm>
#include <utility>

#include "sim/flow/filling.h"

namespace pipescope::flow {
namespace {

// The same for the links of an orbit, whose sums are made in different orders.
constexpr double kSymmetric = 1e-10;

}  // namespace

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

// Fills from entries of routes with kOthers other links (0: as many as the entries say). What it
// has of this class is in locals, and the length is a constant, since here the time is spent.
template <int kOthers>
void Filling::FillDirect(int32_t l, double level, bool all, Entries& entries) {
  const int32_t others = kOthers == 0 ? entries.others() : kOthers;
  Room* const rooms = room_.data();
  const uint8_t* const full = full_.data();
  const size_t stride = static_cast<size_t>(others) + 1;
  const int32_t* const data = entries.data();
  const auto fix = [=](size_t i) {
    const int32_t* const links = data + i * stride + 1;
    int fixed = 0;
    for (int32_t k = 0; k < others; ++k) fixed |= full[links[k]];
    if (fixed != 0) return false;
    for (int32_t k = 0; k < others; ++k) {
      rooms[links[k]].free -= level;
      rooms[links[k]].rising -= 1;
    }
    return true;
  };
  size_t owned = entries.owned();
  for (size_t i = 0; i < owned;) {
    if (fix(i)) {
      ++i;
    } else {
      entries.Disown(i);
      --owned;
      state_.link(l).tallied = false;
    }
  }
  if (!all) return;
  const size_t size = entries.size();
  for (size_t i = entries.owned(); i < size; ++i) {
    if (!fix(i)) continue;
    found_.push_back({entries.variable(i), l});
    entries.Own(i);
    state_.link(l).tallied = false;
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
      state_.link(l).tallied = false;
    } else if (!owns && i < entries.owned()) {
      entries.Disown(i--);
    }
  }
}

void Filling::FillOneOther(const Entries& owned, double level) {
  Room* const rooms = room_.data();
  for (size_t i = 0; i < owned.owned(); ++i) {
    Room& r = rooms[*owned.links(i)];
    r.free -= level;
    r.rising -= 1;
  }
}

void Filling::FillByTally(int32_t l, double level) {
  Room* const rooms = room_.data();
  for (const Crossing other : state_.link(l).tally) {
    Room& r = rooms[other.link()];
    const double count = other.count();
    r.free -= count * level;
    r.rising -= count;
  }
}

// Nothing where an entry does not tell its links.
void Filling::CountOwned(int32_t l) {
  LinkState& link = state_.link(l);
  for (const Entries& entries : link.crossing) {
    if (entries.others() == kIndirect && entries.owned() > 0) return;
  }
  if (state_.links() > Crossing::kMostLink) return;
  met_.clear();
  for (const Entries& entries : link.crossing) {
    for (size_t i = 0; i < entries.owned(); ++i) {
      const int32_t* const others = entries.links(i);
      for (int32_t k = 0; k < entries.others(); ++k) {
        if (count_[static_cast<size_t>(others[k])]++ == 0) met_.push_back(others[k]);
      }
    }
  }
  link.tally.clear();
  for (const int32_t other : met_) {
    int32_t left = std::exchange(count_[static_cast<size_t>(other)], 0);
    for (; left > Crossing::kMostCount; left -= Crossing::kMostCount) {
      link.tally.emplace_back(other, Crossing::kMostCount);
    }
    link.tally.emplace_back(other, left);
  }
  link.tallied = true;
}

// `all`: something that it did not own may be its own now.
void Filling::Fill(int32_t l, double level, bool all) {
  level_[static_cast<size_t>(l)] = level;
  full_[static_cast<size_t>(l)] = 1;
  LinkState& link = state_.link(l);
  const bool overtaken = std::exchange(overtaken_[static_cast<size_t>(l)], 0) != 0;
  const bool same = !all && !overtaken && level != kNever;
  if (same && link.crossing.size() == 1 && link.crossing[0].others() == 1) {
    return FillOneOther(link.crossing[0], level);  // counting would not make it less
  }
  if (same && !link.tallied) CountOwned(l);
  if (same && link.tallied) return FillByTally(l, level);
  for (Entries& entries : state_.link(l).crossing) {
    switch (entries.others()) {
      case kIndirect:
        FillIndirect(l, level, entries);
        break;
      case 1:
        FillDirect<1>(l, level, all, entries);
        break;
      case 2:
        FillDirect<2>(l, level, all, entries);
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

}  // namespace pipescope::flow
