// `schedule optimize` without its command line: what was asked for, and the problem it stands for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schedules/optimize/placed_problem.h"
#include "sim/base/result.h"

namespace pipescope::cli {

struct OptimizeOptions {
  std::string experiment;
  std::vector<std::string> overrides;
  std::optional<int64_t> ranks, microbatches;
  std::string cost;
  std::vector<double> limits;  // one for all ranks, or one a rank
  std::optional<double> input_grad_frees;
  std::string placement = "linear";
  bool overlap = false;
  std::string goal;  // empty: the span, or the makespan of an experiment or an overlapped order
  std::string method = "search";
  double seconds = 60;
  std::string format = "text";
  std::string output;
};

struct OptimizeInputs {
  schedules::PlacedProblem problem;
  std::string memory_unit;  // "activations of one chunk" or "GiB"
  std::string words;        // where the inputs come from, with every number of an experiment's
};

Result<OptimizeInputs> ReadInputs(const OptimizeOptions& options);

// The command again, without format and output.
std::string Reproduce(const OptimizeOptions& options);

}  // namespace pipescope::cli
