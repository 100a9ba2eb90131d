// The first failure of a run, seen by all of its threads.
//
// Whoever waits asks `stopped` at least every kPatience, so that one rank's failure ends them all
// instead of leaving them to wait for what will not come.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>

namespace pipescope::executor {

inline constexpr std::chrono::milliseconds kPatience{50};

class Stop {
 public:
  // The first message stays; later ones follow from it.
  void Fail(std::string message) {
    const std::lock_guard lock(mutex_);
    if (stopped_.load()) return;
    message_ = std::move(message);
    stopped_.store(true);
  }

  bool stopped() const { return stopped_.load(); }

  std::string message() const {
    const std::lock_guard lock(mutex_);
    return message_;
  }

 private:
  mutable std::mutex mutex_;
  std::string message_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace pipescope::executor
