// The plans that are considered: every combination of the values below whose GPUs are as many as
// asked for. Data parallelism is what is left: gpus / (pipeline x tensor x context).
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/experiment/experiment.h"
#include "sim/result/plan_types.h"

namespace pipescope::plan {

// An empty list stands for what DefaultSpace puts there.
struct Space {
  std::vector<int> gpus, pipeline, tensor, expert, chunks, sms;
  std::vector<int64_t> micro_batch;
  std::vector<std::string> recompute, schedules;
};

// Fills what is empty:
//   gpus         the cluster's
//   pipeline     divisors of gpus up to the model's layers
//   tensor       powers of two up to a node's GPUs
//   expert       powers of two up to the routed experts; 1 of a dense model
//   micro_batch  1, 2, 4
//   chunks       2, 4 of schedules that leave the choice
//   sms          the experiment's and 8, 16, 24, 32, below the GPU's; the experiment's alone where
//                no expert is
//   recompute    none, selective, full; deepseek_v3 where attention is latent or the experiment has
//                it
//   schedules    1f1b, interleaved-1f1b, zb-h1, zbv, dualpipe, dualpipev
Space DefaultSpace(Space given, const Experiment& experiment);

// Plans that share everything but schedule, chunks and SMs.
struct Structure {
  int gpus = 0, pipeline = 1, data = 1, tensor = 1, expert = 1;
  int64_t micro_batch = 1;
  std::string recompute;
};
// Those whose GPUs divide; a fixed order. Fails where they are more than kMostStructures.
inline constexpr size_t kMostStructures = 1000000;
Result<std::vector<Structure>> StructuresOf(const Space& space, int context);

// A schedule of the space with each of its chunks.
struct Pattern {
  std::string schedule;
  int chunks = 0;
};
Result<std::vector<Pattern>> PatternsOf(const Space& space);

}  // namespace pipescope::plan
