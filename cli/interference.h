// How much of the machine others used while we ran: builds, desktops, neighbours.
//
//   share = (busy - own) / (processors x wall)
//
// busy is what the system counts for all processes, in ticks of 10 ms, own this process' time. So
// for a run of 100 ms on 2 processors the share is right to about 0.05. A run counts as undisturbed
// at reports::kUndisturbed or less.
#pragma once

#include <chrono>

namespace pipescope::cli {

class Interference {
 public:
  explicit Interference(int processors);

  // Since it was made; 0 where the system does not tell.
  double Share() const;

 private:
  int processors_;
  double busy_, own_;  // seconds
  std::chrono::steady_clock::time_point start_;
};

}  // namespace pipescope::cli
