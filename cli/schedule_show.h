// `schedule show` without its command line: what was asked for, and the text that answers it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "schedules/lowered.h"
#include "sim/base/result.h"

namespace pipescope::cli {

struct ShowOptions {
  std::string what;  // a schedule's name or a file
  std::optional<int64_t> ranks, microbatches, chunks, slices;
  std::string variant;
  std::string cost;
  bool cost_given = false;
  std::optional<double> memory_limit;  // of automatic schedules, in activations of one chunk
  std::string format = "text";
  std::string output;
  bool comms = false, merge = false;
  schedules::Lowering lowering;
};

// The order and timing in the format asked for. Fails where the order cannot be made or run.
Result<std::string> RenderSchedule(const ShowOptions& options);

}  // namespace pipescope::cli
