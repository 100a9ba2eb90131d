// A calibrated profile, and what it says of operations that it does not have: as a step's costs are
// read from it (sim/costs/prediction.h), with the rates of the GPU that it was measured on.
#pragma once

#include <string>

#include "sim/costs/prediction.h"

namespace pipescope::cli {

class KernelPredictor {
 public:
  // `topology`: a file that says whose GPU it is; "": what the profile tells of it.
  static Result<KernelPredictor> Of(measured::Profile profile, const std::string& topology);

  // Fails where the profile has the operation: it was not held out then.
  Result<costs::Prediction> Predict(const measured::Operation& operation) const;

  const measured::Profile& profile() const { return profile_; }
  const std::string& rates() const { return rates_; }  // what the analytic model knows, in words

 private:
  KernelPredictor(measured::Profile profile, const topology::Gpu& gpu, std::string rates)
      : profile_(std::move(profile)),
        source_(costs::ProfileSource::Of(profile_, gpu, {})),
        rates_(std::move(rates)) {}

  measured::Profile profile_;
  costs::ProfileSource source_;
  std::string rates_;
};

// Names the file in an error that names none.
Error In(const std::string& path, Error error);
Result<measured::Profile> ReadProfileOf(const std::string& path);

}  // namespace pipescope::cli
