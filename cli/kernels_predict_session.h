// Measures what kernels predict compares: kernel by kernel, the shapes of a calibration and those
// that it leaves out in the same rounds (kernels/bench/rounds.h), then predicts the ones from the
// others. With a profile of before only what is held out is measured.
//
// Beside communication there are no rounds: each number of SMs is measured as calibrate does it.
#pragma once

#include <optional>
#include <string>

#include "cli/kernel_predictor.h"
#include "cli/kernels_options.h"
#include "kernels/bench/rounds.h"
#include "reports/kernel_predictions.h"

namespace pipescope::cli {

struct PredictOptions {
  KernelsOptions kernels;
  std::string profile, measured, topology;  // files, or ""
};

class PredictSession {
 public:
  // `started`: the machine and its kernels, no rows yet.
  PredictSession(const PredictOptions& options, kernels::bench::BenchReport started,
                 kernels::bench::Rounds rounds);

  Result<reports::KernelPredictions> Run();

 private:
  using HeldShapes = std::vector<kernels::bench::HeldOut>;

  Status ReadFile();
  Status RunKernel(const kernels::bench::Op& op, const HeldShapes& held);
  void Measure(const kernels::bench::Op& op, const HeldShapes& held);
  Result<KernelPredictor> PredictorOf(const kernels::bench::Op& op);
  Status PredictRows(const KernelPredictor& predictor);
  Status PredictBeside(const kernels::bench::Op& op, const HeldShapes& held,
                       const KernelPredictor& predictor);
  void Keep(const std::vector<costs::Prediction>& predictions,
            const kernels::bench::BenchReport& measured);
  int sms() const;

  const PredictOptions& options_;
  const kernels::bench::Request request_;
  const kernels::bench::Progress progress_;
  std::optional<measured::Profile> file_;  // --profile
  kernels::bench::BenchReport calibrated_, held_;
  kernels::bench::Rounds rounds_;
  reports::KernelPredictions all_;
};

}  // namespace pipescope::cli
