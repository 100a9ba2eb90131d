// What a profile says of operations that it does not have: each is predicted as a step's costs are
// read (profile_source.h), from the calibrated profile alone, and then held against its
// measurement.
//
//   error   (predicted - measured) / measured
//   noise   standard deviation of the measured runs over their mean; 0 where there was but one
#pragma once

#include <optional>
#include <string>

#include "sim/base/result.h"
#include "sim/costs/profile_source.h"

namespace pipescope::costs {

struct Prediction {
  measured::Operation operation;           // without times until it was measured
  std::optional<Estimate> predicted = {};  // nothing where no neighbour is near enough

  double error() const {
    const double measured = operation.times.mean.seconds();
    return (predicted->time.seconds() - measured) / measured;
  }
  double noise() const { return operation.times.deviation / operation.times.mean; }
};

// Of all but the operation's times, which it forgets.
Prediction Predict(const ProfileSource& source, measured::Operation operation);

// The device as a profile tells it, for where no topology does: its SMs, and the rates of its copy
// and of its fastest matrix kernel that `calibrate` writes to `machine`. Where there are SMs that
// kernel is in FP8, and BF16 has half of it, as on Hopper (H100's data sheet).
Result<topology::Gpu> GpuOf(const measured::Profile& profile);

// Fails where the operation is in the profile: it was not held out then.
Status CheckHeldOut(const measured::Profile& profile, const measured::Operation& operation);

}  // namespace pipescope::costs
