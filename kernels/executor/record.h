// What happened in a run: times of steps and messages, and the Timeline made of them.
//
// Recording a step costs two readings of the clock and a small allocation, some 0.13 us
// (tests/benchmarks/executor_benchmark.cc; what that is of a step: README).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "kernels/executor/transport.h"
#include "schedules/flow.h"
#include "schedules/schedule.h"
#include "sim/timeline/timeline.h"

namespace pipescope::executor {

struct StepRecord {
  int32_t label = 0;
  timeline::Lane lane = timeline::Lane::kCompute;
  std::vector<int32_t> after;  // records of the same rank
  int32_t message = -1;        // index of the one it took, of the rank's
  Clock::time_point start, end;
  std::function<Result<Span>()> when;  // work.h
};

struct MessageRecord {
  MessageName name;
  Clock::time_point sent, arrived;
};

struct ActionRecord {
  int32_t first = 0;  // its steps
  int32_t count = 0;
  int32_t gives_activation = -1, gives_gradient = -1;  // steps
};

struct RankRecord {
  std::vector<ActionRecord> actions;  // those of the schedule, then the step's end
  std::vector<StepRecord> steps;
  std::vector<MessageRecord> messages;  // that it received
  bool on_device = false;               // and AskDevice has asked
};

// Asks the steps that a device ran when it did. Fails where the device has.
Status AskDevice(RankRecord& rank);
// A message between devices goes when the step that gives it has ended, and comes at once: what
// more it takes is the wait of the step that takes it. Clocks of processes and of GPUs are right to
// some microseconds, and no message comes after its taker's start.
void TimeMessages(const schedules::Flow& flow, std::vector<RankRecord>& ranks);

// Times count from the earliest step. A step was released by what it waited for last: the one
// before it on its lane, one of `after`, the action before or its message; a message by the step
// that gave it. `labels` gets one more, for messages.
timeline::Timeline MakeTimeline(const schedules::Schedule& schedule, const schedules::Flow& flow,
                                std::vector<timeline::Label> labels,
                                const std::vector<RankRecord>& ranks);

}  // namespace pipescope::executor
