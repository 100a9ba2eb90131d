// Threads that stay, for work that comes again step after step.
//
// The C library gives each thread a heap of its own. A rank that is a new thread in each step finds
// some other rank's heap, or grows one, and pays for its pages (up to 9 us each in a machine's
// guest; a fourth of a step of GPipe, which holds the most). One heap for all makes ranks wait for
// each other at its lock: with a model of hidden 64 steps take an eighth longer. So the place that
// a thread works at, a rank's lane, finds the same thread, and the heap of the step before:
//
//   Worker rank0(0, [&] { RunStep(); });   // starts at once
//   rank0.Join();                          // its thread waits for the next job at place 0
//
// A job starts on the processors that its maker may run on, as a new thread would.
#pragma once

#include <functional>

namespace pipescope::executor {

class Worker {
 public:
  // While the place's thread is at work, another one is made, which stays as well.
  Worker(int place, std::function<void()> job);
  Worker(Worker&& other) noexcept;
  Worker& operator=(Worker&& other) = delete;
  ~Worker() { Join(); }

  // Returns when the job has.
  void Join();

  // Of the calling thread; 0 of one that is no worker's.
  static int Place();

 private:
  class Thread;
  Thread* thread_;  // stays when all of it is over, as its thread does
};

}  // namespace pipescope::executor
