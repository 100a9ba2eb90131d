// Reads a PyTorch (Kineto) Chrome trace, .json or .json.gz: an object with "traceEvents", or the
// bare array of events. One pass, token by token: memory holds what is kept of device operations,
// launches and annotations, not the file.
//
// Strict about what the answer rests on: complete events ("ph": "X") of the device, of launches and
// of annotations must have times in range, and what the device did a stream. Anything else, known
// or not, is passed over.
//
//   t.json:7041:31: traceEvents[512].dur: '-3': expected microseconds from 0 to 1e12
#pragma once

#include <string>

#include "sim/base/result.h"
#include "sim/trace/input.h"
#include "sim/trace/trace.h"

namespace pipescope::trace {

struct ReadLimits {
  InputLimits input = {};
  int64_t kept = 20'000'000;                // device operations, launches and annotations
  int64_t name_bytes = int64_t{256} << 20;  // of all different names
  size_t depth = 64;                        // of nested objects and arrays
};

Result<Trace> ReadTrace(const std::string& path, const ReadLimits& limits = {});

}  // namespace pipescope::trace
