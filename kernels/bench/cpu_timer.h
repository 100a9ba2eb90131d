// Times on a CPU: each run after 64 MiB of something else were written, until there are enough. A
// last-level cache that is larger may still hold the inputs: `of_peak` can be above 1 then.
#pragma once

#include <functional>
#include <vector>

#include "kernels/bench/op.h"

namespace pipescope::kernels::bench {

struct CpuTiming {
  int least_runs = 3;
  int most_runs = 50;
  Duration enough = Milliseconds(60);  // of time within the kernel
};

// Once to warm up, then each run's time.
std::vector<Duration> TimeOnCpu(const std::function<void()>& run, const CpuTiming& timing = {});
// The same for the kernel and a copy of as many bytes as it moves: half read, half written.
Timed TimeBesideCopy(const std::function<void()>& run, Flops flops, Bytes bytes);

// A copy of 64 MiB, and a loop of multiply-adds whose numbers stay in registers; one thread each,
// as all CPU kernels here.
Peaks MeasureCpuPeaks();
// What the CPU is called, from /proc/cpuinfo; "CPU" where that does not tell.
std::string CpuName();

Duration Median(std::vector<Duration> each);

}  // namespace pipescope::kernels::bench
