// Which links share variables: only these need solving together.
//
// Two links are coupled when a variable crosses both; a component is what coupling joins. Adding a
// variable merges the components of its links, the smaller ones into the largest. Ends do not split
// a component at once: when half of its variables are gone it is divided anew, so that the cost of
// dividing, which is its size, is spread over as many ends.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/flow/filling.h"
#include "sim/flow/state.h"

namespace pipescope::flow {

struct Component {
  std::vector<int32_t> links;           // in the order of their levels, with
  std::vector<Checkpoint> checkpoints;  // (filling.h)
  int64_t updated = 0;                  // its links' volumes are of this picosecond
  int64_t next = 0;                     // when the first of its variables ends
  int32_t variables = 0;
  int32_t gone = 0;  // variables that ended since it was last divided
  uint32_t version = 0;
  bool dirty = false;
};

class Components {
 public:
  explicit Components(FlowState& state) : state_(state) {}

  Component& at(int32_t c) { return components_[static_cast<size_t>(c)]; }
  // The component of all links of variable v, which is made one; volumes are brought to `now`.
  int32_t Join(int32_t v, int64_t now);
  // Divides a component that has lost half of its variables; empty links belong to none. Appends
  // the components that are left, `c` among them unless it is empty.
  void Divide(int32_t c, std::vector<int32_t>& parts);
  // Lets what the links own progress until `now`.
  void Bring(Component& component, int64_t now);

 private:
  int32_t New(int64_t now);
  void Free(int32_t c);
  int32_t Root(int32_t l);

  FlowState& state_;
  std::vector<Component> components_;
  std::vector<int32_t> free_;
  std::vector<int32_t> parent_;  // while dividing: by link
};

}  // namespace pipescope::flow
