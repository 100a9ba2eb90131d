// list, check, bench, calibrate and what it held out, as pipescope's verb and the kernels' own
// binary have them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "kernels/bench/held_out.h"
#include "kernels/bench/report.h"

namespace pipescope::kernels::bench {

struct Request {
  Device device = Device::kCpu;
  std::string kernel = {};  // only those whose name holds this
  uint64_t seed = 1;        // of checks, and of what is held out
  int sms = 0;              // that a kernel may use; 0: all
  bool interference = false;
  bool calibrate = false;  // bench: held_out.h's calibrated shapes, else the kernels' own
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
// Of the shapes that calibration leaves out; with interference each kernel's last one between the
// calibrated ones also beside communication, on numbers of SMs that calibration leaves out.
Result<BenchReport> RunHeldOut(const Request& request, const Progress& progress);

// The steps of these: the machine and its peaks without rows; one shape; one kernel beside
// communication on each number of SMs. What fails is noted in the report.
Result<BenchReport> StartBench(const Request& request, const Progress& progress);
void TimeShape(const Op& op, const HeldOut& at, const Request& request, const Progress& progress,
               BenchReport& report);
void TimeBeside(const Op& op, const HeldOut& at, const std::vector<int>& sms,
                const Progress& progress, BenchReport& report);
// What TimeBeside is asked for of an operation: nothing without interference.
const HeldOut* HeldOutBeside(const Op& op, const std::vector<HeldOut>& held,
                             const Request& request);

}  // namespace pipescope::kernels::bench
