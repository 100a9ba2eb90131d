// A process that stays behind to tell how another one ended.
//
// A rank that is killed can say nothing itself, and mpirun would end the job with the number of the
// signal. So each process that mpirun starts forks before it does anything else: the child is the
// rank, the parent waits for it and reads, where it died, in memory that both share where it stood:
//
//   pipescope: error: rank 2, action 17 of 42, 2F5: its process was ended by signal 9 (Killed)
//
// Then it exits with 1, at which mpirun ends all others. A child never outlives its keeper, nor a
// keeper its child.
#pragma once

#include <atomic>
#include <string>

#include "kernels/executor/rank_run.h"

namespace pipescope::executor {

// In memory that a rank and its keeper share.
struct Vigil {
  int rank = 0;
  std::atomic<const char*> phase = "the start";  // null: in its actions, where `standing` says
  Standing standing;
  std::atomic<bool> pushes = false;  // the rank moves on itself what it sends

  std::string Place() const;
};

// Forks. Returns in the child, with what it shares with its parent; the parent exits as the child
// does. Fails where the system has no more processes. Call it before there are threads.
Result<Vigil*> StartKept(int rank);

}  // namespace pipescope::executor
