// Processor time of the calling thread, which leaves out what others took of the processor.
//
// Who waits awake for letters (post.h) takes processor time and does no work: it is added up, so
// that what measures a step can take it off. A look that brings any letter further is work.
#pragma once

namespace pipescope::executor {

// Seconds since the thread started.
double ThreadSeconds();
// Seconds that one reading takes.
double ThreadSecondsCost();

// Of them those in which the thread looked for letters in vain.
double& SecondsWaited();

}  // namespace pipescope::executor
