// How much of the machine others used while we ran: builds, desktops, neighbours.
//
//   share = (busy - own) / (processors x wall)
//
// busy is what the system counts for all processes, in ticks of 10 ms, own the time of ours: of
// this process, or of those of the job that are on this machine. So for a run of 100 ms on 2
// processors the share is right to about 0.05. A run counts as undisturbed at reports::kUndisturbed
// or less.
#pragma once

#include <chrono>

namespace pipescope::cli {

// What this process used so far: processor time, and pages of memory that it had not used before.
struct Use {
  double seconds = 0, pages = 0;
};
Use OwnUse();

class Interference {
 public:
  // `own`: seconds of ours so far.
  explicit Interference(double own);

  // Since it was made, `own` being what they are now; 0 where the system does not tell.
  double Share(double own) const;

 private:
  double busy_, own_;  // seconds
  std::chrono::steady_clock::time_point start_;
};

}  // namespace pipescope::cli
