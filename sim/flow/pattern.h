// A batch of flows with what makes adding it cheap: its classes of equal flows.
//
// Two flows are of one class when an equitable partition of the batch's flows and links holds them
// together: equal flows cross equally many links of each class of links, with equal weights, and
// equal links have equal capacities and are crossed by equally many flows of each class of flows.
// It is found by colour refinement: start from what is written on flows (bytes, cap, latency) and
// links (capacity), then give a new colour to each by the multiset of its neighbours' colours,
// until nothing changes. An N-rank all-to-all of N (N - 1) flows has one class.
//
// Why a class may be solved as one variable: progressive filling treats all that has one colour in
// the same way, hence flows of a class have equal rates as long as they share their links with
// nobody else. The engine does not rely on that: whenever a class is held back by a link, it checks
// that the whole orbit of that link (the links of its colour that the class crosses) is full at the
// same level. Every member crosses the orbit, so that each has its bottleneck, and that is what
// defines the max-min fair rates (engine.h). Where the check fails, because another flow, a dead
// link or a cap broke the symmetry, the class is taken apart into its flows. So colours may be
// hashes: a collision costs time, never exactness.
//
// What is left over is put into loose classes: flows of equal bytes, cap and latency that cross
// equal links, where the batch alone fills none of them. Nothing holds such flows back, so they run
// alike whatever else their links carry, until one of their links could be full: then the engine
// takes the class apart. So an exchange with skewed loads, in which each pair of GPUs is a case of
// its own, costs one variable a load.
//
// Example: 64 ranks with a NIC each, every one sends 1 MB to every other: 4032 flows, one class of
// two orbits (64 uplinks, 64 downlinks), each link crossed by 63 members.
#pragma once

#include <memory>
#include <vector>

#include "sim/flow/network.h"

namespace pipescope::flow {

// Flows that are equal, as one variable.
struct FlowClass {
  std::vector<int32_t> members;  // flow numbers in the batch, ascending
  // Only where there is more than one member: links by orbit, and the sum of the members' weights.
  std::vector<int32_t> links;
  std::vector<double> weights;
  std::vector<int32_t> orbit_end;  // ends of the orbits in `links`
  bool loose = false;              // equal only while no link of theirs could be full
};

class Colours;

class Pattern {
 public:
  // kLoose: loose classes only, which are cheap to find, for what is added once.
  enum class Fold { kYes, kLoose, kNo };

  // The network's capacities only tell links apart; they may change later.
  static std::shared_ptr<const Pattern> Make(const Network& network, FlowBatch batch,
                                             Fold fold = Fold::kYes);

  const FlowBatch& batch() const { return batch_; }
  // Classes of two and more flows; those of one are in `single`.
  const std::vector<FlowClass>& classes() const { return classes_; }
  const std::vector<int32_t>& single() const { return single_; }
  // The class of a flow, -1: it is single.
  int32_t ClassOf(int64_t flow) const {
    return class_of_.empty() ? -1 : class_of_[static_cast<size_t>(flow)];
  }

 private:
  void FoldInto(const Network& network, const Colours& colours, const std::vector<int32_t>& flows,
                bool loose);

  FlowBatch batch_;
  std::vector<FlowClass> classes_;
  std::vector<int32_t> single_;
  std::vector<int32_t> class_of_;
};

}  // namespace pipescope::flow
