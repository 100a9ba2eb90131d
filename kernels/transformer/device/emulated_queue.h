// A queue of functions and the thread that calls them, of emulation.h.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <random>
#include <string>
#include <thread>

#include "kernels/transformer/device/queue.h"

namespace pipescope::transformer::device {

class EmulatedEvent : public Event {
 public:
  void Happen();
  void Wait() const;
  Result<double> Seconds() const override;
  bool happened() const override;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool happened_ = false;
  double seconds_ = 0;
};

class WorkThread {
 public:
  explicit WorkThread(uint32_t jitter);
  ~WorkThread();
  WorkThread(const WorkThread&) = delete;
  WorkThread& operator=(const WorkThread&) = delete;

  void Put(std::function<void()> work);
  EventPtr Record();
  void Wait(const EventPtr& event);
  // For all that was put; the first failure.
  Status Finish();
  void Fail(const std::string& why);  // from a work

 private:
  void Loop();
  void Stumble();

  const bool jitter_;
  std::minstd_rand random_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> works_;
  bool busy_ = false, ending_ = false;
  std::string failure_;
  std::thread thread_;  // last: it starts when all else is there
};

}  // namespace pipescope::transformer::device
