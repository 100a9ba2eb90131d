// What a message between ranks costs, in the terms of LogP (Culler et al., PPoPP 1993): processor
// time of its sender, latency, processor time of its receiver.
//
//   hop = send + latency + receive     from the end of the step that gives to the start of the one
//                                      that takes, if that one waits
//
// Example: 4 processes on 2 processors, a message of 128 x 128 floats: send 9 us, receive 13 us of
// a hop of 60 us, which includes that the receiver is woken.
#pragma once

#include <cstddef>

#include "kernels/executor/crew.h"
#include "sim/base/result.h"

namespace pipescope::transformer {

// Of times, awake: as ranks wait that have a processor each (executor/spin.h), all alike but where
// others took the processor meanwhile: the lowest decile. Otherwise they are woken, from a
// processor that sleeps more or less deeply: the median.

// The hop in seconds, to a rank that has nothing else to do, for a message of so many values. Where
// the crew leads; elsewhere 0.
Result<double> MeasureHop(executor::Crew& crew, bool awake, size_t values = 0);

struct MessageEnds {
  double send = 0, receive = 0;  // seconds
};

// Of a message between two processes, by the clock of each thread. Where the crew leads; elsewhere,
// and between threads, which hand over what is there, nothing.
Result<MessageEnds> MeasureEnds(executor::Crew& crew, bool awake, size_t values);

}  // namespace pipescope::transformer
