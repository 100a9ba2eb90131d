// The steps of an action out of the parts of a stage, for whatever runs parts.
//
//   F   parts of its stage, first to last            takes an activation, gives one
//   I   parts, last to first                         takes a gradient, gives one
//   W   parts, last to first
//   B   for each part, last to first: I, W           gives its gradient before the last W
//   F&B the steps of F and of B in turn, each in its own order
#pragma once

#include <vector>

#include "kernels/executor/work.h"
#include "kernels/transformer/stage.h"

namespace pipescope::transformer {

// Names of steps, in the order of PartSteps' labels, then those of a step's end.
const std::vector<timeline::Label>& PartLabels();
int32_t GradientsOutLabel();
int32_t GradientsInLabel();
int32_t OptimizerLabel();

// What runs the parts of a rank's stages. Calls come as Stage's, which says what they do; `first`
// and `last` calls of a pass take from the ports and leave there what travels.
class PartRunner {
 public:
  virtual ~PartRunner() = default;
  virtual size_t parts(int stage) const = 0;
  virtual PartKind kind(int stage, size_t part) const = 0;
  virtual const std::vector<size_t>& takes(int stage, size_t part) const = 0;

  virtual void Forward(int stage, int microbatch, size_t part, executor::Ports& ports) = 0;
  virtual void InputGradient(int stage, int microbatch, size_t part, executor::Ports& ports) = 0;
  virtual void WeightGradient(int stage, int microbatch, size_t part) = 0;
};

// `runner` and `ports` outlive the steps.
executor::Steps PartSteps(const schedules::Action& action, PartRunner& runner,
                          executor::Ports& ports);

}  // namespace pipescope::transformer
