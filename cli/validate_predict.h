// The simulator's prediction of a real run: its engine on the run's own steps, with measured costs.
//
//   step     its calibrated time alone and the executor's own before it, on one of the
//            `processors` that all share; it needs beside / alone of one
//   lane     steps of an action one after the other; the next action when all of them ended; what
//            waits for a step of the other lane starts `handover` after its end, no processor
//   message  `send` of its sender's processor at the end of the step that gives, `hop` without
//            any, then `receive` of its receiver's before the step that takes
//   exchange on the communication lane: starts when all ranks of the group have come to it, and
//            `meeting` after the last of the others has; by turns in two halves: its rows go out
//            when all have come, the others' come in when theirs are out
//   end      a rank's gradients come in when those of all that hold copies are out
//
// Example: 1F1B, 4 ranks, 8 micro-batches, F = 1, B = 2, no hops, 4 processors: 33, as fidelity
// `schedule` has it; on 1 processor 4 x 8 x 3 = 96.
//
// With no more ranks than processors each has its own, and P ranks share what P processors do when
// all work: steps of beside / alone = 1.2 on all of them run at 1 / 1.2, and at full speed while
// one of two waits. Of more than two, those left may be predicted too fast while a few wait.
//
// More ranks take turns, a step each, in the run as in the prediction (sim/engine/turns.h). Where
// processes have no memory to do so by, they share the processors evenly.
#pragma once

#include "kernels/transformer/run_costs.h"
#include "schedules/schedule.h"
#include "sim/base/units.h"
#include "sim/timeline/timeline.h"

namespace pipescope::cli {

struct Machine {
  int processors = 1;
  Duration hop;
  // From the last one's coming to an exchange to the start of the others: between threads that of
  // who is woken, between processes a message.
  Duration meeting = {};
  // A lane is a thread that blocks while it waits: how long it takes to be woken.
  Duration handover = {};
  // Ranks that are more than processors take turns on these (kernels/turns.h).
  bool by_turns = false;
  // From when one of their threads is ready until a processor that was idle runs it. One that is at
  // work takes no time.
  Duration wake = {};
  // What a message takes of processors at its ends, nothing between threads.
  Duration send = {}, receive = {};
};

// The schedule is sound; the costs are of its actions.
timeline::Timeline PredictRun(const schedules::Schedule& schedule,
                              const transformer::RunCosts& costs, const Machine& machine);

}  // namespace pipescope::cli
