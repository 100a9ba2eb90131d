#include "cli/interference.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <string>

namespace pipescope::cli {
namespace {

// Of all processors since the system started, without what they idled or waited for devices.
double BusySeconds() {
  std::ifstream stat("/proc/stat");
  std::string name;
  stat >> name;
  constexpr int kIdle = 3, kWait = 4, kFields = 7;  // user nice system idle iowait irq softirq
  double ticks = 0;
  for (int field = 0; field < kFields; ++field) {
    double value = 0;
    stat >> value;
    if (field != kIdle && field != kWait) ticks += value;
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

Use OwnUse() {
  timespec time = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return {static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec),
          static_cast<double>(usage.ru_minflt)};
}

Interference::Interference(double own)
    : busy_(BusySeconds()), own_(own), start_(std::chrono::steady_clock::now()) {}

double Interference::Share(double own) const {
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start_;
  const double others = BusySeconds() - busy_ - (own - own_);
  const auto processors = static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
  return std::clamp(others / (processors * wall.count()), 0.0, 1.0);
}

}  // namespace pipescope::cli
