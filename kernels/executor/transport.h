// How activations and gradients get from one rank to another: the seam for other machinery.
//
// A message is named by the action that yields it and its direction, so each is sent once and
// taken once, in any order. Sending does not wait for the receiver.
#pragma once

#include <chrono>
#include <compare>

#include "kernels/executor/work.h"

namespace pipescope::executor {

using Clock = std::chrono::steady_clock;

struct MessageName {
  int from = 0, to = 0;   // ranks
  int32_t action = 0;     // that yields it (schedules::Flow's number)
  bool backward = false;  // a gradient

  friend auto operator<=>(const MessageName&, const MessageName&) = default;
};

struct Received {
  Payload payload;
  Clock::time_point sent, arrived;
};

class Transport {
 public:
  virtual ~Transport() = default;
  virtual Status Send(const MessageName& name, Payload payload) = 0;
  // After each step: moves on what is under way.
  virtual void Progress() {}
  // Waits. Fails where the run was stopped.
  virtual Result<Received> Receive(const MessageName& name) = 0;
};

}  // namespace pipescope::executor
