// A profiler's trace, plain or gzip, and what is made of it.
#include "sim/trace/read.h"
#include "sim/trace/timeline_of.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pipescope;
  trace::ReadLimits limits;
  limits.input.bytes = int64_t{16} << 20;
  const auto trace = trace::ReadTrace(fuzz::AsFile(data, size), limits);
  if (fuzz::Sound(trace)) fuzz::Sound(trace::TimelineOf(*trace));
  return 0;
}
