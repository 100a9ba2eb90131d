// Collects the operations of one action; knows which came last on either lane.
//
// What tensor- and context-parallel groups send is waited for by the computation after it, so it
// has its place in the compute lane's order, but for the phases that run beside others: a gather of
// rows that only weight gradients need lets one phase pass, a scatter all phases of weight
// gradients.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/lowering/action_template.h"
#include "sim/lowering/phase_costs.h"

namespace pipescope {

// Whether the phase is a dispatch or a combine, which has a lane of its own.
bool Communicates(const model::Phase& phase);

class ActionBuilder {
 public:
  explicit ActionBuilder(PhaseCosts& costs) : costs_(costs) {}

  // From here on, whether communication's SMs are taken from the computation's.
  void SetBesideCommunication(bool beside) { beside_ = beside; }

  // Appends a phase behind `inputs` and behind its lane; a notify goes before communication.
  // Returns the operation that yields the phase's result. `phase` must live until Finish.
  int32_t Append(const model::Block& block, const model::Phase& phase, std::vector<int32_t> inputs);

  // An operation without work, for an action that has none.
  int32_t AppendNothing() { return Add(costs_.Add({"no work"}, costs::Demand()), {}); }

  int32_t size() const { return static_cast<int32_t>(made_.operations.size()); }
  ActionTemplate& made() { return made_; }
  ActionTemplate Finish();

 private:
  int32_t Add(int32_t templ, std::vector<int32_t> after);

  PhaseCosts& costs_;
  bool beside_ = false;
  std::vector<int32_t> gathers_, scatters_;  // sent beside computation, and not waited for yet
  bool gather_is_new_ = false;               // it lets the next phase pass
  std::vector<std::pair<int32_t, const model::Phase*>> notifies_;  // operations, and before what
  Duration computed_;
  int32_t last_compute_ = -1;
  int32_t last_communication_ = -1;
  ActionTemplate made_;
};

}  // namespace pipescope
