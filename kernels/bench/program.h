// list, check and bench, as pipescope's verb and the kernels' own binary have them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "kernels/bench/report.h"

namespace pipescope::kernels::bench {

struct Request {
  Device device = Device::kCpu;
  std::string kernel = {};  // only those whose name holds this
  uint64_t seed = 1;        // of checks
  int sms = 0;              // that a kernel may use; 0: all
  bool interference = false;
};

// Told before each kernel starts, for progress on stderr.
using Progress = std::function<void(const std::string& what)>;

std::string ListText();
std::string ListJson();

struct CheckReport {
  std::string text;
  std::string json;
  bool well = true;
};
Result<CheckReport> RunChecks(const Request& request, const Progress& progress);
Result<BenchReport> RunBench(const Request& request, const Progress& progress);

}  // namespace pipescope::kernels::bench
