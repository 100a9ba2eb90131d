// Times on a CPU: each run from cold caches (kernels/timing.h), until there are enough. A
// last-level cache that is larger may still hold the inputs: `of_peak` can be above 1 then.
#pragma once

#include <functional>
#include <vector>

#include "kernels/bench/op.h"

namespace pipescope::kernels::bench {

// Once to warm up, then each run's time.
std::vector<Duration> TimeOnCpu(const std::function<void()>& run, const Runs& runs = {});
// A function that holds what it works on, timed so.
TimeRuns OnCpu(std::function<void()> run);
// A copy of so many bytes, half read and half written, whose memory is there while it is timed.
TimeRuns CopyOnCpu(Bytes bytes);
// The function beside a copy of as many bytes as it moves.
Trial BesideCopy(std::function<void()> run, Flops flops, Bytes bytes);

// A copy of 64 MiB, and a loop of multiply-adds whose numbers stay in registers; one thread each,
// as all CPU kernels here.
Peaks MeasureCpuPeaks();
// What the CPU is called, from /proc/cpuinfo; "CPU" where that does not tell.
std::string CpuName();

Duration Median(std::vector<Duration> each);

// What the processors are worth at this moment: seconds of a fixed piece of arithmetic on all of
// them at once, until the last one is done. The median of three times of some 5 ms: where others
// want the processors too, the system lets a thread that just woke run for 1 ms undisturbed.
double PaceOfCpu();

}  // namespace pipescope::kernels::bench
