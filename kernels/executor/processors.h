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
// More ranks than processors take turns on all of them, a step each (kernels/turns.h): none of them
// is idle while a rank is ready, which is what predictions assume of shared processors.
#pragma once

#include <memory>
#include <vector>

#include "kernels/executor/crew.h"
#include "kernels/turns.h"

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

// The calling thread, and threads that it starts from now on: the shortest stretches that the
// system gives, 100 us in place of milliseconds (Linux 6.12 and later). For processes that share
// processors: threads of theirs that take no turns, as the one that watches, then don't hold up one
// that does.
void AskForShortTurns();

// Of a rank: one for each lane (rank_run.h).
inline constexpr int kThreadsOfRank = 2;

// Whether their steps run on the threads that call them, so that these may take turns.
bool ComputeHere(const Works& works);

// Of ranks that are threads and more than processors; null where they are not, or a device works
// for them.
std::unique_ptr<kernels::Turns> MakeTurns(const Works& works, int ranks);

// Makes the caches of all of them cold, at once (kernels/timing.h).
void CoolCaches(const std::vector<int>& processors);

}  // namespace pipescope::executor
