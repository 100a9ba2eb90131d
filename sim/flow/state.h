// What the native engine knows of links and of what crosses them: plain data and its upkeep.
//
// A variable is a flow or a class of equal flows (pattern.h). Each variable that moves bytes is
// held back by one link, its owner, and all that a link owns runs at the link's level. So progress
// is kept by link, not by flow: a link's volume grows by level * time, and a variable ends when its
// owner's volume reaches `due` = the volume when it came + its bytes. When levels change nothing
// needs to be done for a variable, unless its owner changes.
//
// A link is tight where it could be full: where the most that its variables could ask of it,
//
//   demand = sum over variables of weight * most,   most = min(cap, capacity / weight of any link),
//
// is more than it carries, unless another link covers it: one that all its variables cross besides,
// each of which takes at least as large a share of its capacity. Others hold nothing back, so they
// couple nothing. A variable is entered on its tight links only; one that crosses none runs at its
// most, on its own. A most below what its tight links let through is a link of its own.
//
// Example: 7 flows of at most 6 GB/s over a link of 50 GB/s are as if alone; with an eighth that
// could take all of 50 they are coupled. A cable on which a switch sends only what goes to one NIC
// of its speed is covered by that NIC.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "sim/flow/entries.h"
#include "sim/flow/neighbours.h"
#include "sim/flow/pattern.h"
#include "sim/flow/route_pool.h"

namespace pipescope::flow {

constexpr double kNever = std::numeric_limits<double>::infinity();

// Of all links of a variable.
struct Route {
  const int32_t* links = nullptr;
  const double* weights = nullptr;  // nullptr: all 1
  int32_t count = 0;

  double Weight(int32_t k) const { return weights == nullptr ? 1 : weights[k]; }
};

// There may be millions: members are in the order that leaves no gaps.
struct Variable {
  Route route;
  double most = 0;  // bytes/s, of each member
  // Where it is entered: its tight links, and its cap's.
  const int32_t* links = nullptr;
  const double* weights = nullptr;  // nullptr: all 1
  double due = 0;
  int64_t since = 0;                      // on its own: it had `due` bytes left at this picosecond
  const FlowClass* flow_class = nullptr;  // a class of its pattern, or
  int32_t member = -1;                    // flow of the batch
  uint32_t serial = 0;  // of all that ever were, told apart though their places are used again
  int32_t batch = 0;
  int32_t count = 0;      // of links
  int32_t owner = -1;     // a link; -1: not known yet, and `due` is the bytes left
  uint32_t run = 0;       // counts how often it was told when it ends, on its own
  uint32_t fixed_in = 0;  // the round of filling that fixed it last
  int32_t cap_link = -1;
  bool alive = false;
  bool queued = false;  // to be placed anew: entered, or on its own
  bool entered = false;
  bool owns_links = false;  // they are of the pool, as no pattern has written them

  double WeightOn(int32_t link) const {
    return weights == nullptr ? 1 : weights[std::find(links, links + count, link) - links];
  }
};

// An entry of a link's heap: void unless the variable still has this owner and due.
struct Due {
  double at = 0;
  int32_t variable = 0;
};

struct Present {
  int32_t variable = 0;
  uint32_t serial = 0;
};

// How many of the variables that a link owns cross another one, in 4 bytes: what filling costs is
// reading these.
class Crossing {
 public:
  static constexpr int32_t kMostLink = (1 << 24) - 1, kMostCount = 255;
  Crossing(int32_t link, int32_t count) : packed_(static_cast<uint32_t>(link << 8 | count)) {}
  uint32_t link() const { return packed_ >> 8; }
  int32_t count() const { return static_cast<int32_t>(packed_ & 255); }

 private:
  uint32_t packed_;
};

struct LinkState {
  double capacity = 0;
  double demand = 0;             // the most that could be asked of it
  std::vector<Present> present;  // what crosses it, tight or not; may hold some that have left
  int32_t left = 0;              // how many
  bool tight = false;
  int32_t cover = -1;     // the link that covers it
  bool bare = false;      // none does, or did when it was last looked for
  bool touched = false;   // its demand changed since it was last found whether it is tight
  double weight = 0;      // of all that crosses it
  double level = kNever;  // the rate of what it owns; kNever: it owns nothing
  int64_t ends = 0;       // when the first of what it owns does, as of its last levels
  double volume = 0;      // bytes per unit of weight since it last was empty
  int32_t variables = 0;
  int32_t component = -1;
  bool sweep = false;     // holds variables that are not entered
  bool changed = false;   // since it was filled last: its capacity, or what crosses it
  bool weighted = false;  // some weight is no whole number, so that sums of weights are rounded
  std::vector<Entries> crossing;  // one for each length of route that occurs
  std::vector<Due> due;           // a heap, the earliest first
  std::vector<Crossing> tally;    // of what it owns, where that is as it was when it was counted:
  bool tallied = false;
};

// Clears, and lets go of what a million at once took.
template <class T>
void Empty(std::vector<T>& list) {
  constexpr size_t kKept = 1 << 16;
  if (list.capacity() > kKept) {
    list = {};
    list.shrink_to_fit();
  }
  list.clear();
}

class FlowState {
 public:
  explicit FlowState(const Network& network);

  int32_t AddLink(double capacity);
  void FreeLink(int32_t l) { free_links_.push_back(l); }
  int32_t AddVariable();
  // Room for all that a pattern's flows and classes become: nothing is moved as they arrive.
  void Reserve(const Pattern& pattern);
  // It crosses its route from now on, or no more.
  void Arrive(int32_t v);
  void Depart(int32_t v);
  // Gives it another most.
  void SetMost(int32_t v, double most);
  void Touch(int32_t l);
  bool IsTight(int32_t l) const { return link(l).tight; }
  // What is known of who covers whom is void where link l has a part in it.
  void VoidCovers(int32_t l);
  // Whether the links of each of a class's orbits carry the same, as they did when it was found.
  bool HasEqualOrbits(const FlowClass& c) const;
  bool HasTouched() const { return !touched_.empty(); }
  // The links that were touched and became tight or ceased to be.
  std::vector<int32_t> Turned();
  // Calls f(variable) for all that crosses link l.
  template <class F>
  void ForEachPresent(int32_t l, F f) const {
    for (const Present& p : link(l).present) {
      if (IsPresent(p)) f(p.variable);
    }
  }
  // Gives it `count` links of its own to be entered on, to be filled in; those it had are let go.
  RouteBlock TakeOwnLinks(int32_t v, int32_t count, bool weighted);
  // Gives it links that are written elsewhere.
  void UseLinks(int32_t v, const Route& links);
  // Enters it on its links.
  void Attach(int32_t v);
  // Whether some variable may be entered on both.
  bool Meet(int32_t a, int32_t b) const { return neighbours_.Meet(a, b); }
  // Knows anew who meets whom, from the variables that these links, all of theirs, have now.
  void FindNeighbours(const std::vector<int32_t>& links);
  // Takes it off; its links keep its entries until they are swept. Its number is not used
  // again before it is freed.
  void Detach(int32_t v);
  void FreeVariable(int32_t v);
  void Sweep(int32_t l);

  // Bytes per member that variable v still has to move.
  double Left(int32_t v) const;
  void SetOwner(int32_t v, int32_t l);
  // The earliest due variable of link l, or nullptr; drops entries that are void.
  const Due* Earliest(int32_t l);
  void PopEarliest(int32_t l);

  LinkState& link(int32_t l) { return links_[static_cast<size_t>(l)]; }
  const LinkState& link(int32_t l) const { return links_[static_cast<size_t>(l)]; }
  Variable& variable(int32_t v) { return variables_[static_cast<size_t>(v)]; }
  const Variable& variable(int32_t v) const { return variables_[static_cast<size_t>(v)]; }
  // Calls f(variable) for all that has or had an entry on link l since it was swept.
  template <class F>
  void ForEachOn(int32_t l, F f) const {
    for (const Entries& entries : link(l).crossing) {
      for (size_t i = 0; i < entries.size(); ++i) f(entries.variable(i));
    }
  }
  bool IsPresent(const Present& p) const {
    const Variable& v = variable(p.variable);
    return v.alive && v.serial == p.serial;
  }
  size_t links() const { return links_.size(); }
  size_t variables() const { return variables_.size(); }
  // Whether a link is one that was added for a cap.
  bool IsCap(int32_t l) const { return static_cast<size_t>(l) >= network_links_; }

 private:
  bool Holds(int32_t l, const Due& d) const {
    const Variable& v = variable(d.variable);
    return v.entered && v.owner == l && v.due == d.at;
  }
  void Forget(LinkState& l);
  void SetEntered(int32_t v, bool entered);
  // The share of link l that variable v takes at rate 1.
  double ShareOf(const Variable& v, int32_t l) const;
  // Whether it takes at least as large a share of link l as of another one.
  bool TakesMore(const Variable& v, int32_t l, int32_t than) const;
  bool IsCovered(int32_t l);
  bool Covers(int32_t cover, int32_t l) const;

  size_t network_links_;
  std::vector<LinkState> links_;
  std::vector<Variable> variables_;
  std::vector<uint8_t> entered_;  // the same as of the variables, close together
  void Introduce(const Variable& v);

  Neighbours neighbours_;
  RoutePool pool_;
  std::vector<int32_t> free_links_;
  std::vector<int32_t> free_variables_;
  std::vector<int32_t> touched_;
  uint32_t serials_ = 0;
};

}  // namespace pipescope::flow
