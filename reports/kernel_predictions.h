// Operations predicted from a calibrated profile beside what they took: text and JSON.
//
// Rows are sorted by name, shape and SMs. By kind: the mean magnitude of the error, and the worst.
// An outlier is off by more than 5 %, what the project is held to, even where its runs' noise is
// taken off.
#pragma once

#include <string>
#include <vector>

#include "sim/costs/prediction.h"

namespace pipescope::reports {

inline constexpr double kHeldTo = 0.05;

struct KernelPredictions {
  std::string machine;  // "NVIDIA H200"
  std::string rates;    // what the analytic model knows of it, in words
  std::vector<costs::Prediction> rows;
  std::vector<std::string> failures;  // what could not be measured, and why
  // The largest share of the processors that other processes used while one kernel was measured, on
  // a CPU; 0 where nobody looked.
  double others = 0;
};

// "gemm fp8 forward", "quantise", "kernels beside communication".
std::string GroupOf(const measured::Operation& operation);

std::string KernelPredictionsText(KernelPredictions predictions);
std::string KernelPredictionsJson(KernelPredictions predictions);

}  // namespace pipescope::reports
