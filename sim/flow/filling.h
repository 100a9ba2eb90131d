// Progressive filling: the max-min fair levels of a set of links that share variables.
//
//   all rates rise together; when a link is full, what crosses it stays at that level, and what it
//   has used elsewhere is taken off; the others rise on.
//
// A link's candidate level is (capacity - what is fixed on it) / weight that still rises. It never
// falls while others are filled, so the next full link is the one with the least candidate. Links
// are tried in the order of the last time, in which each is chosen from a short window: the levels
// of neighbours swap often, those of others rarely. The result is proved, not assumed: if the
// levels come out ascending and no link is over its capacity, each variable has been fixed by the
// first of its links, that link is full, and nothing on it is faster: the definition of max-min
// fairness. If not, a link came too late: it is put after the last checkpoint below its level, or
// first of all, and what follows is filled anew; where that fails often, all is, with the links in
// a heap.
//
// Filling reads the entries that a link owns (entries.h), front to back, no lookup by flow: F flows
// of K links cost F * (K - 1) updates. The others on a link are read only where something may have
// become its own: where what crosses it changed, or where it overtook another link. Where neither
// is so and none overtook it either, it owns what it owned, and not even that is read: how many of
// them cross which other link has been counted, and 200 flows from 8 NICs to 30 are 38 updates.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sim/flow/state.h"

namespace pipescope::flow {

// Where a filling may be taken up again: all before place `at` of the order is full, and has taken
// this much of the other links.
struct Checkpoint {
  struct Link {
    int32_t link;
    double used;   // of its capacity
    double fixed;  // of its weight
  };
  size_t at = 0;
  double level = 0;
  std::vector<Link> links;
};

class Filling {
 public:
  explicit Filling(FlowState& state) : state_(state) {}

  // Sets the levels of `order`'s links and the owners of all that crosses them, and leaves the
  // links in the order of their levels. The links must be all that their variables cross. Returns
  // the class variables that must be taken apart first, if any; then nothing has been set.
  //
  // The first `same` links of the order are as they were when it was filled last, which left the
  // checkpoints: what is full before the first change is not filled anew.
  std::vector<int32_t> Run(std::vector<int32_t>& order, size_t same,
                           std::vector<Checkpoint>& checkpoints);

 private:
  struct Room {
    double free = 0;    // capacity not yet taken by what is fixed
    double rising = 0;  // weight of what is not fixed
  };
  struct Found {
    int32_t variable;
    int32_t owner;
  };
  void Begin(const std::vector<int32_t>& order);
  // Takes up the last checkpoint; returns its place.
  size_t TakeUp(const std::vector<int32_t>& order, const Checkpoint& checkpoint);
  void Save(const std::vector<int32_t>& order, size_t at, double level,
            std::vector<Checkpoint>& checkpoints) const;
  // Moves the link with the least candidate of the window that starts at `at` to its front.
  // `late`: some link that it came after the last time is still to be filled, and overtaken.
  double Choose(std::vector<int32_t>& order, size_t at, bool& late);
  bool FillInOrder(std::vector<int32_t>& order, std::vector<Checkpoint>& checkpoints);
  // Link order[at] came too late: goes back to before its level and puts it first there. Returns
  // the place.
  size_t GoBack(std::vector<int32_t>& order, size_t at, double level,
                std::vector<Checkpoint>& checkpoints);
  void FillByHeap(std::vector<int32_t>& order);
  // The level at which link l is full as things stand; kNever: it holds nothing back.
  double Candidate(int32_t l);
  // The weight on l of what is not fixed, added up anew.
  double Rising(int32_t l) const;
  bool IsFixed(const Entries& entries, size_t i) const;
  template <int kOthers>
  void FillDirect(int32_t l, double level, bool all, Entries& entries);
  void FillIndirect(int32_t l, double level, Entries& entries);
  bool CloseRest(const std::vector<int32_t>& order, size_t at);
  void Fill(int32_t l, double level, bool all);
  void FillOneOther(const Entries& owned, double level);
  void FillByTally(int32_t l, double level);
  void CountOwned(int32_t l);
  void FixIndirect(int32_t l, int32_t v, double level);
  bool Covers(int32_t l, const Variable& v, double level);
  bool OverCapacity(int32_t l) const;
  void SetOwners(const std::vector<int32_t>& order);

  Room& room(int32_t l) { return room_[static_cast<size_t>(l)]; }
  const Room& room(int32_t l) const { return room_[static_cast<size_t>(l)]; }

  FlowState& state_;
  uint32_t round_ = 0;
  bool indirect_ = false;      // met in this round
  bool most_changed_ = false;  // so that the order of the last time says little
  std::vector<Room> room_;
  std::vector<uint8_t> full_;  // filled in this round
  std::vector<uint8_t> weighted_;
  std::vector<uint8_t> overtaken_;  // by a link that it came before the last time
  std::vector<int32_t> met_;
  std::vector<int32_t> count_;  // by link, all 0 but while what one owns is counted
  std::vector<int32_t> place_;  // in the order of the last time
  std::vector<double> level_;
  std::vector<Found> found_;  // new owners
  size_t filled_ = 0;         // places of the order that this round left as they were
  bool given_up_ = false;     // a filling was, since the last one that was not
  std::vector<int32_t> broken_;
};

inline double Filling::Candidate(int32_t l) {
  Room& r = room(l);
  if (weighted_[static_cast<size_t>(l)] != 0 && r.rising <= 1e-9 * state_.link(l).weight) {
    r.rising = Rising(l);
  }
  return r.rising > 0 ? std::max(0.0, r.free) / r.rising : kNever;
}

}  // namespace pipescope::flow
