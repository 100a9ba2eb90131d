// A pipeline on one GPU, for machines with a driver and libc: calibrate, predict, run, compare.
//
//   calibrate   each rank plays its stages alone on its share of the SMs (transformer/calibrate.h)
//   predict     schedules/evaluate.h, an action the sum of its steps, a hop between ranks, and the
//               longest end of a step:  step = makespan + max over ranks of (its end)
//   run         losses of every step are held against those of one rank on such a share, to the bit
//
// `pipescope validate --device cuda` does the same with the simulator's own engine, which also
// knows lanes. `cpu` plays the GPU by threads.
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"

namespace pipescope::kernels {

struct PipelineRequest {
  bool cuda = false;
  std::string model = "micro";
  std::vector<std::string> schedules = {"gpipe", "1f1b", "zb1p", "dualpipe"};
  int ranks = 2;
  int microbatches = 8;
  int repetitions = 3;  // after the first, which warms up
  int communication_sms = 8;
};

struct PipelineReport {
  std::string text, json;
  bool well = false;  // all losses equal one rank's
};

Result<PipelineReport> RunPipeline(const PipelineRequest& request);

}  // namespace pipescope::kernels
