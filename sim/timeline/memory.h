// Memory of a rank over a step: what is always there, and activations that come and go.
//
// F brings a stage's activations at its start; I or B takes them away at its end. Where the weight
// gradient is deferred, I brings at its start what W will need and W takes it away. An overlapped
// pair starts with both halves in memory. What a backward pass works with is there while it runs.
// Example: 1F1B on p ranks holds p - r micro-batches at the peak of rank r, DualPipe p + 1 chunks
// on every rank.
#pragma once

#include <vector>

#include "sim/base/units.h"
#include "sim/timeline/timeline.h"

namespace pipescope::timeline {

// Bytes that one micro-batch of one stage keeps.
struct StageActivations {
  Bytes until_backward;
  Bytes until_weight_grad;
  Bytes working = Bytes(0);
};

struct MemoryPoint {
  Duration time;
  Bytes activations;  // from this time on
};

struct MemoryCurve {
  std::vector<MemoryPoint> points;
  Bytes peak;
  Duration peak_time;
};

// One curve a rank. `stages` is indexed by stage.
std::vector<MemoryCurve> ActivationCurves(const Timeline& timeline,
                                          const std::vector<StageActivations>& stages);

}  // namespace pipescope::timeline
