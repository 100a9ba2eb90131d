// What the native engine knows of links and of what crosses them: plain data and its upkeep.
//
// A variable is a flow or a class of equal flows (pattern.h). Each variable that moves bytes is
// held back by one link, its owner, and all that a link owns runs at the link's level. So progress
// is kept by link, not by flow: a link's volume grows by level * time, and a variable ends when its
// owner's volume reaches `due` = the volume when it came + its bytes. When levels change nothing
// needs to be done for a variable, unless its owner changes.
//
// A flow's cap is a link of its own, with the cap as its capacity.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "sim/flow/entries.h"
#include "sim/flow/pattern.h"

namespace pipescope::flow {

constexpr double kNever = std::numeric_limits<double>::infinity();

// A route that is not written in a pattern: with a link for a cap.
struct OwnRoute {
  std::vector<int32_t> links;
  std::vector<double> weights;
};

struct Variable {
  const int32_t* links = nullptr;
  const double* weights = nullptr;  // nullptr: all 1
  int32_t count = 0;                // of links
  int32_t owner = -1;               // a link; -1: not known yet, and `due` is the bytes left
  double due = 0;
  int32_t batch = 0;
  int32_t member = -1;                    // flow of the batch, or
  const FlowClass* flow_class = nullptr;  // a class of its pattern
  uint32_t fixed_in = 0;                  // the round of filling that fixed it last
  int32_t cap_link = -1;
  bool alive = false;
  std::unique_ptr<OwnRoute> own;

  double WeightOn(int32_t link) const {
    return weights == nullptr ? 1 : weights[std::find(links, links + count, link) - links];
  }
};

// An entry of a link's heap: void unless the variable still has this owner and due.
struct Due {
  double at = 0;
  int32_t variable = 0;
};

struct LinkState {
  double capacity = 0;
  double weight = 0;      // of all that crosses it
  double level = kNever;  // the rate of what it owns; kNever: it owns nothing
  double volume = 0;      // bytes per unit of weight since it last was empty
  int32_t variables = 0;
  int32_t component = -1;
  bool sweep = false;     // holds variables that are not alive
  bool changed = false;   // since it was filled last: its capacity, or what crosses it
  bool weighted = false;  // some weight is no whole number, so that sums of weights are rounded
  std::vector<Entries> crossing;  // one for each length of route that occurs
  std::vector<Due> due;           // a heap, the earliest first
};

class FlowState {
 public:
  explicit FlowState(const Network& network);

  int32_t AddLink(double capacity);
  void FreeLink(int32_t l) { free_links_.push_back(l); }
  int32_t AddVariable();
  // Enters it on its links.
  void Attach(int32_t v);
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
  // Calls f(variable) for all that has an entry on link l, alive or not.
  template <class F>
  void ForEachOn(int32_t l, F f) const {
    for (const Entries& entries : link(l).crossing) {
      for (size_t i = 0; i < entries.size(); ++i) f(entries.variable(i));
    }
  }
  size_t links() const { return links_.size(); }
  size_t variables() const { return variables_.size(); }
  // Whether a link is one that was added for a cap.
  bool IsCap(int32_t l) const { return static_cast<size_t>(l) >= network_links_; }

 private:
  bool Holds(int32_t l, const Due& d) const {
    const Variable& v = variable(d.variable);
    return v.alive && v.owner == l && v.due == d.at;
  }

  size_t network_links_;
  std::vector<LinkState> links_;
  std::vector<Variable> variables_;
  std::vector<int32_t> free_links_;
  std::vector<int32_t> free_variables_;
};

}  // namespace pipescope::flow
