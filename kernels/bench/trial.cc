#include "kernels/bench/trial.h"

namespace pipescope::kernels::bench {

Result<Timed> TimeTrial(const Trial& trial, const Runs& runs) {
  auto each = trial.kernel(runs);
  if (!each) return Fail(each.error());
  Timed timed = {*std::move(each), {}, trial.flops, trial.bytes, trial.sms};
  if (!trial.baseline) return timed;
  auto baseline = trial.baseline(runs);
  if (baseline) {
    timed.baseline_each = *std::move(baseline);
  } else {
    timed.note = baseline.error().ToString();
  }
  return timed;
}

}  // namespace pipescope::kernels::bench
