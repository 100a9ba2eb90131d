// What a benchmark found, as text, as JSON and as a profile.
//
//   time_s               the median of all runs
//   tflops               flops / time_s / 1e12; left out where there are none
//   gigabytes_per_second bytes / time_s / 1e9
//   of_peak              the larger of: that rate over the measured rate of a copy, flops over the
//                        measured matrix peak; `bound` tells which
//
// Example: 4096 x 7168 values of BF16 quantised in 30 us move 89 MB: 2.96 TB/s; where a copy does
// 4 TB/s, of_peak is 0.74 and bound "copy".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernels/bench/machine.h"
#include "kernels/bench/op.h"
#include "kernels/cuda/interference.h"

namespace pipescope::kernels::bench {

struct BenchRow {
  Op op;
  Shape shape;
  Timed timed;
  std::string how = {};  // it was held out: HeldOut's
};

// One kernel beside a communication kernel that has SMs of its own.
struct InterferenceRow {
  Op op;
  Shape shape;
  Bytes bytes;
  cuda::Interference times;
  std::string how = {};

  double slowdown() const { return times.beside / times.alone; }
  double communication_slowdown() const;  // 1 without communication
};

struct BenchReport {
  Machine machine;
  Peaks peaks;
  std::vector<BenchRow> rows;
  std::vector<InterferenceRow> interference;
  std::vector<std::string> failures;  // kernels that gave no time, and why
};

struct OfPeak {
  double share = 0;
  const char* bound = "copy";  // or "matrix"
};
OfPeak OfPeakOf(const Timed& timed, const Peaks& peaks);

std::string BenchText(const BenchReport& report);
std::string BenchJson(const BenchReport& report);

// Operations of the same key are one, with the times of all. `source` says where it was measured,
// and of what was held out which shape it was: "between rows: rows 37, columns 7168". Of each
// kernel's runs only those count that lie within three standard deviations of their median, as the
// median distance from it tells them: on a machine that others use too, the mean of the others says
// nothing of the kernel. What was timed in rounds (rounds.h) has their median in place of the mean.
//
// What ran beside communication enters as the same operation on fewer SMs, "beside communication"
// behind its name: in a profile fewer SMs than the machine's mean that others had the rest.
// Communication's own times, alone and beside each kernel, are operations of kind `other` of so
// many blocks, each for 1 GB; the kernel is in their names.
//
// The machine's facts have its peaks as rates, by which costs are read where no topology says what
// the device is: "copy rate" and "matrix rate".
measured::Profile ProfileOf(const BenchReport& report, const std::string& source);

// What the shape will enter a profile as, without times. `sms`: of the machine.
measured::Operation OperationOf(const Op& op, const Shape& shape, int sms);
// The same beside communication on some SMs, and that communication.
std::vector<measured::Operation> OperationsBeside(const Op& op, const Shape& shape, int sms,
                                                  int communication_sms);

}  // namespace pipescope::kernels::bench
