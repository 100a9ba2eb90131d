// A bar on stderr for work of many parts, with the time that is left at the pace so far where the
// parts are alike:
//
//   [###########...................] 3712/10000 points, 1 min 5 s left
//
// Only where stderr is a terminal and NO_COLOR is not set, since the bar redraws its line with
// control characters; at most ten times a second.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace pipescope::cli {

class Progress {
 public:
  enum class Parts { kAlike, kUnlike };

  Progress(std::string unit, int64_t total, Parts parts = Parts::kAlike);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  // Clears the line.
  ~Progress();

  void Advance() { Reach(done_ + 1); }
  void Reach(int64_t done);

 private:
  const std::string unit_;
  const int64_t total_;
  const Parts parts_;
  const bool shown_;
  const std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point drawn_;
  int64_t done_ = 0;
};

// "1 min 5 s", "2 h 10 min".
std::string TimeLeft(double seconds);

// The bar without control characters; `seconds` since it began, 0 where they tell nothing of the
// rest.
std::string ProgressBar(const std::string& unit, int64_t done, int64_t total, double seconds);

}  // namespace pipescope::cli
