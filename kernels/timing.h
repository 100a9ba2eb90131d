// What it takes to time work on a CPU again and again: caches that are cold, memory that stays.
//
//   caches   what a step finds in them depends on what ran before: a run that follows another one's
//            finds none of its own, one that follows itself finds all of it, and takes up to a
//            fourth less (a model of hidden 64, caches of 1 and 32 MiB). Cold is the same for all
//   memory   the C library gives a large block back to the system after some runs and not after
//            others, and those pay for its pages anew, several times what a small kernel takes
#pragma once

namespace pipescope::kernels {

// Of the processor that the calling thread is on: reads 64 MiB of its own. Some milliseconds. What
// only writes leaves more behind: after a memset of as much, kernels still found inputs in an
// EPYC's last-level cache now and then. A larger one may hold on to them anyway.
void CoolCaches();

// Before anything is timed, once: what is allocated from now on stays with the process, in the
// heaps of the threads that asked for it. So threads that are timed are to stay, too
// (executor/worker.h).
void KeepMemory();

}  // namespace pipescope::kernels
