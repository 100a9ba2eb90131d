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

// Why memory is held.
enum class Holds : uint8_t {
  kForBackward,    // from F to I or B
  kForWeightGrad,  // from I to W
  kWorking,        // while I or B runs
};

constexpr const char* NameOf(Holds what) {
  return what == Holds::kForBackward     ? "for backward"
         : what == Holds::kForWeightGrad ? "for weight gradient"
                                         : "working";
}

struct Holder {
  StageId stage;
  Holds what = Holds::kForBackward;
  int microbatches = 0;
  Bytes bytes;
};

struct MemoryCurve {
  std::vector<MemoryPoint> points;
  Bytes peak;
  Duration peak_time;
  std::vector<Holder> held;  // at the peak, the most bytes first; they add up to it
};

// One curve a rank. `stages` is indexed by stage.
std::vector<MemoryCurve> ActivationCurves(const Timeline& timeline,
                                          const std::vector<StageActivations>& stages);

}  // namespace pipescope::timeline
