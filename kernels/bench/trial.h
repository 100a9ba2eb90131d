// A kernel that is ready at one shape: its inputs are made, and it can be timed again and again.
//
// What it is timed by is its own: a clock around each run on a CPU, events on a GPU, both from cold
// caches, and of an exchange the time from when all its ranks may start, with caches as they are.
// In any case a call warms up with one run at least that does not count.
//
// Example: a trial of rms_norm at {rows 64, columns 7168} holds 1.8 MB of inputs, moves 3.67 MB a
// run, and asked for {least 3, most 50, enough 60 ms} of 1 ms each gives 50 times.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/base/units.h"

namespace pipescope::kernels::bench {

// How many runs a time is taken from.
struct Runs {
  int least = 3;
  int most = 50;
  Duration enough = Milliseconds(60);  // of time within the kernel
};

// Each run's time. On a GPU and of exchanges the number of runs is fixed, or `most` if that is
// less.
using TimeRuns = std::function<Result<std::vector<Duration>>(const Runs& runs)>;

struct Trial {
  TimeRuns kernel = {};
  TimeRuns baseline = {};  // null where there is none
  Flops flops = {};
  Bytes bytes = {};
  int sms = 0;  // that the kernel uses; 0 on a CPU
};

struct Timed {
  std::vector<Duration> each;           // of the kernel; one at least
  std::vector<Duration> baseline_each;  // of the baseline; empty where there is none
  Flops flops;
  Bytes bytes;
  int sms = 0;            // that the kernel used; 0 on a CPU
  std::string note = {};  // why there is no time of the baseline, or empty
  // Timed in rounds (rounds.h): each round's median. Empty where all runs were made at once.
  std::vector<Duration> rounds = {}, baseline_rounds = {};
};

// The kernel and then its baseline.
Result<Timed> TimeTrial(const Trial& trial, const Runs& runs = {});

}  // namespace pipescope::kernels::bench
