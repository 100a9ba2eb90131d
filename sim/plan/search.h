// The best plans for a model and a cluster within memory, and the front of time, memory and GPUs.
//
// Branch and bound. Every plan of the space gets the bounds of bounds.h. What is over the memory is
// out. The rest is simulated in the order of its least time, in rounds of a fixed size, but for
// those that cannot matter any more: whose least time is over that of the k-th best step found, and
// which a step found already beats on the front, being no slower than the least time, with no more
// memory and no more GPUs. A bound is never over what is simulated, so nothing that belongs into
// the answer is left out; an exhaustive search gives the same one (tests/sim/plan). Rounds do not
// depend on the number of threads, so neither does the answer, nor what was counted.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/plan/space.h"

namespace pipescope::plan {

struct Question {
  std::string experiment;              // file
  std::vector<std::string> overrides;  // "a.b=c", of every plan
  Space space;                         // filled by DefaultSpace
  Bytes limit;                         // 0: the GPU's memory
  size_t top = 10;
  double front_within = 1.5;  // times the GPU time of the cheapest step found: what is dearer is
                              // not on the front, however little memory it needs
  int jobs = 1;
  bool exhaustive = false;  // simulates whatever fits: for tests
  // Told of plans that have got their bounds ("bounded") and then of those that were simulated or
  // need not be ("decided"), by one thread at a time.
  std::function<void(const char* what, int64_t done, int64_t of)> progress;
};

// Fails where the experiment is wrong or no plan fits.
Result<PlanReport> Search(const Question& question);

}  // namespace pipescope::plan
