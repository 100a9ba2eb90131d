// Which SMs of one GPU each rank of a pipeline gets.
//
// A green context takes SMs in units: at least `least`, and a multiple of `multiple` of them. The
// GPU's n SMs hold n / unit units; each rank gets as many as every other, of which some are its
// communication queue's own. What is left over stays idle: ranks of different speed would be a
// different pipeline.
//
//   unit = least rounded up to `multiple`     a rank: floor(floor(n / unit) / ranks) units
//   communication: its SMs rounded up to units, 0: both queues share the rank's
//
// Example: an H200's 132 SMs in units of 8 are 16; 4 ranks with 8 SMs for communication compute on
// 24 SMs each, 4 SMs are left.
// Source: CUDA 13.0 driver API, green contexts: compute capability 9.0 and later, at least 8 SMs
// and a multiple of 8 (cuda.h).
#pragma once

#include "sim/base/result.h"

namespace pipescope::transformer::device {

struct SmUnits {
  int sms = 132;  // of the GPU
  int least = 8, multiple = 8;
};

struct SmPlan {
  int unit = 0;                                    // SMs
  int compute_units = 0, communication_units = 0;  // of each rank
  int ranks = 0;

  int units() const { return ranks * (compute_units + communication_units); }
  int compute_sms() const { return compute_units * unit; }
  int communication_sms() const {
    return (communication_units == 0 ? compute_units : communication_units) * unit;
  }
};

Result<SmPlan> PlanSms(const SmUnits& gpu, int ranks, int communication_sms);

}  // namespace pipescope::transformer::device
