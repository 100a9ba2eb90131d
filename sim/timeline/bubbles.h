// Bubbles: when a rank runs no action, and why.
//
// A gap is a time between two actions of a rank, before its first or after its last, up to the end
// of the pipeline's last action. Gaps are told apart by what ends them:
//   warm-up        until the rank's first backward work: the pipeline fills
//   drain          after its last forward work: the pipeline empties
//   imbalance      in between, what a rank waits because another has more work: the slowest rank's
//                  work a micro-batch, less its own, times its micro-batches, spread over its waits
//   communication  in between, of the rest: the awaited message was under way
//   dependency     in between, what is left: the awaited action had not ended
// so they add up to all of the bubble, exactly. The slowest rank sets the pace: what others wait
// for it grows with the micro-batches, and that is imbalance, not the schedule. Work in warm-up and
// drain does not count towards it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/base/units.h"
#include "sim/timeline/timeline.h"

namespace pipescope::timeline {

enum class GapCause : uint8_t { kWarmUp, kDrain, kDependency, kCommunication, kImbalance };
inline constexpr int kGapCauses = 5;
const char* Name(GapCause cause);

struct Gap {
  int32_t rank = 0;
  GapCause cause = GapCause::kWarmUp;
  int32_t before_action = -1;  // the action that ends it; -1: the end of the pipeline
  Duration start;
  Duration end;
  Duration message;  // of it, while the message that ends it was under way
};

struct Bubbles {
  std::vector<Gap> gaps;  // rank by rank, in time; a waiting time may be cut into several causes
  std::vector<Duration> per_rank;
  std::vector<Duration> busy;                 // time in actions, per rank
  std::array<Duration, kGapCauses> by_cause;  // sum over ranks
  double makespan_rate = 0;                   // 1 - mean(busy) / pipeline_end
};

Bubbles FindBubbles(const Timeline& timeline);

}  // namespace pipescope::timeline
