#include "kernels/executor/thread_seconds.h"

#include <ctime>

namespace pipescope::executor {

double ThreadSeconds() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double ThreadSecondsCost() {
  constexpr int kReadings = 1000;
  const double start = ThreadSeconds();
  for (int i = 1; i < kReadings; ++i) ThreadSeconds();
  return (ThreadSeconds() - start) / kReadings;
}

double& SecondsWaited() {
  thread_local double seconds = 0;
  return seconds;
}

}  // namespace pipescope::executor
