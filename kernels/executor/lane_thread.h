// A thread that runs one job at a time for another: a rank's communication lane. It takes turns
// where the other one does (kernels/turns.h).
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>

#include "kernels/executor/worker.h"
#include "kernels/turns.h"

namespace pipescope::executor {

class LaneThread {
 public:
  LaneThread()
      : thread_(Worker::Place() + 1, [this, turns = kernels::Turns::Mine()] { Loop(turns); }) {}
  LaneThread(const LaneThread&) = delete;
  LaneThread& operator=(const LaneThread&) = delete;
  ~LaneThread() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    Tell();
    {
      // Its thread needs a processor to end.
      std::unique_lock lock(mutex_);
      WaitUntil(lock, [this] { return ended_; });
    }
    thread_.Join();
  }

  void Start(std::function<void()> job) {
    {
      const std::lock_guard lock(mutex_);
      job_ = std::move(job);
    }
    Tell();
  }

  // For the end of the job started last.
  void Wait() {
    std::unique_lock lock(mutex_);
    WaitUntil(lock, [this] { return job_ == nullptr; });
  }

 private:
  void Loop(kernels::Turns* turns) {
    const kernels::Turns::Seat seat(turns);
    std::unique_lock lock(mutex_);
    while (true) {
      WaitUntil(lock, [this] { return ending_ || job_ != nullptr; });
      if (job_ == nullptr) break;
      lock.unlock();
      job_();
      lock.lock();
      job_ = nullptr;
      lock.unlock();
      Tell();
      lock.lock();
    }
    ended_ = true;
    lock.unlock();
    Tell();
  }

  template <class Ready>
  void WaitUntil(std::unique_lock<std::mutex>& lock, const Ready& ready) {
    if (!kernels::WaitInTurn(lock, ready)) changed_.wait(lock, ready);
  }
  void Tell() {
    changed_.notify_all();
    kernels::TellTurns();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> job_;
  bool ending_ = false, ended_ = false;
  Worker thread_;  // last: it starts when all else is there
};

}  // namespace pipescope::executor
