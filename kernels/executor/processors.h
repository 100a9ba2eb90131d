// Which processors the threads of a rank run on.
//
// Where there are at least as many processors as ranks, each rank has its own, as launchers of
// training bind theirs: two ranks of 5 processors have
//
//   rank 0: 0 2 4   rank 1: 1 3
//
// so a rank's lanes share what it has, and no two ranks meet on one processor while another one is
// idle. A system left to itself does that now and then: it places a thread that wakes near the one
// that woke it, and to spare power it may pack threads. Of cores with several threads those of one
// core follow the first ones of all: ranks have cores before they share any.
//
// More ranks than processors are not bound: who is ready takes turns on all of them, which is what
// predictions assume of shared processors (sim/lowering/task_graph.h). They ask the system for the
// shortest turns that it gives, 100 us in place of milliseconds (Linux 6.12 and later): a rank that
// was waited for then runs soon, where otherwise its partners would wait for a turn of somebody
// else. Steps of expert parallelism, 4 ranks on 2 processors, hidden 128, took 2 to 9 % less so.
#pragma once

#include <vector>

namespace pipescope::executor {

// That this process may use: the first thread of each core, then the second ones.
std::vector<int> Processors();

// How many this process may use, and how many the machine has: those that it shares with the other
// processes of a job, whose launcher may leave it but one of them. Both 1 at least.
int ProcessorCount();
int ProcessorsOfMachine();

// Those of one rank; empty where ranks are more than processors.
std::vector<int> ProcessorsOf(const std::vector<int>& all, int rank, int ranks);

// The calling thread, and threads that it starts from now on. Nothing where `processors` is empty.
void Bind(const std::vector<int>& processors);

// The calling thread to the rank's own; where there are none, it asks for short turns.
void BindRank(const std::vector<int>& processors, int rank, int ranks);
void AskForShortTurns();

// Makes the caches of all of them cold, at once (kernels/timing.h).
void CoolCaches(const std::vector<int>& processors);

}  // namespace pipescope::executor
