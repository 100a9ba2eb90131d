// What a profiler saw one process do on its GPU: PyTorch's (Kineto's) Chrome trace, reduced to what
// says when the device worked and why.
//
//   device operations  events of category "kernel", "gpu_memcpy" and "gpu_memset"
//   launches           calls of the CUDA API ("cuda_runtime", "cuda_driver"), tied to a device
//                      operation by args.correlation
//   calls              operators of PyTorch whose inputs' sizes say what a GEMM computes
//                      ("cpu_op" with "Input Dims", recorded with record_shapes=True), and the
//                      functions of the backward pass around them
//   annotations        what the program wrote around its code ("user_annotation"), on CPU threads
//
// Times count from the start of the earliest event kept. Traces give microseconds, with up to three
// decimals and as absolute times of 16 digits, which a double would round to a quarter of one.
// The format: Chrome's "Trace Event Format", and libkineto's output_json.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/units.h"

namespace pipescope::trace {

enum class DeviceWork : uint8_t { kKernel, kCopy, kFill };

struct DeviceOperation {
  DeviceWork work = DeviceWork::kKernel;
  int32_t name = 0;  // index into Trace::names
  int32_t device = 0;
  int64_t stream = 0;
  int64_t correlation = -1;  // of its launch, or -1
  int32_t common = -1;  // what it does with other processes, a key among Trace::names (align.h)
  std::array<int64_t, 3> grid = {};
  std::array<int64_t, 3> block = {};
  Bytes bytes;  // of a copy or fill
  Duration start;
  Duration length;
  Duration end() const { return start + length; }
};

struct Launch {
  int64_t correlation = 0;
  int32_t thread = 0;  // index into Trace::threads
  Duration start;
  int32_t name = 0;  // of the call, index into Trace::names
};

struct Call {
  int32_t name = 0;
  int32_t thread = 0;
  int32_t type = -1;                         // of its first input, index into Trace::names
  std::vector<std::vector<int64_t>> inputs;  // their sizes; empty where not told
  Duration start;
  Duration length;
  Duration end() const { return start + length; }
};

struct Annotation {
  int32_t name = 0;
  int32_t thread = 0;
  Duration start;
  Duration length;
  Duration end() const { return start + length; }
};

// What the names of the backward pass's functions begin with.
inline constexpr std::string_view kBackwardFunction = "autograd::engine::evaluate_function";

struct Trace {
  std::string file;
  std::string device_name;  // of the first device listed, "" where the trace does not say
  int sms = 0;              // likewise, 0
  int rank = -1;            // of distributedInfo, -1 where the trace does not say
  int world_size = -1;
  int64_t events = 0;    // all that the file holds
  int64_t epoch_ns = 0;  // what time 0 is on the process's clock
  std::vector<std::string> names;
  std::vector<std::string> threads;         // "pid/tid"
  std::vector<DeviceOperation> operations;  // by start
  std::vector<Launch> launches;             // by start
  std::vector<Call> calls;                  // by start, the outer one first
  std::vector<Annotation> annotations;      // likewise
};

}  // namespace pipescope::trace
