// Baselines: what a step took when it was last found good, to tell when it gets worse and why.
//
// A baseline file is JSON (or YAML):
//   {"cases": [{"experiment": "deepseek_v3_h800.yaml", "schedule": "dualpipe",
//               "set": ["communication.sms=20"], "tolerance": 0.0,
//               "tolerances": {"bubble_s": 0.02},
//               "step_time_s": 15.7, "bubble_s": 0.95, "memory_peak_bytes": 70211231744,
//               "ranks": [{"busy_s": 14.8, "bubble_s": 0.9, ...}]},
//              {"trace": ["rank0.json.gz", "rank1.json.gz"], "tolerance": 0.03,
//               "step_time_s": 0.131, "bubble_s": 0.021}]}
// A case is an experiment under a schedule, or profilers' traces, one a rank. Files count from the
// baseline's folder. `set`, `tolerance` (a share, 0 by default: the simulation is deterministic)
// and `tolerances` by figure may be left out, and the figures and `ranks` until `regress --update`
// fills them in. bubble_s is the mean over ranks; a trace has no memory_peak_bytes. Worse is larger
// than the figure by more than the tolerance. `ranks` is the step's fingerprint (fingerprint.h),
// from which explain.h tells what changed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/result/fingerprint.h"
#include "sim/result/result_types.h"

namespace pipescope {

struct Metrics {
  std::optional<double> step_time_s;
  std::optional<double> bubble_s;
  std::optional<double> memory_peak_bytes;
};

struct BaselineCase {
  std::string experiment;  // as written; "" for traces
  std::string schedule;
  std::vector<std::string> traces;  // as written
  std::vector<std::string> overrides;
  double tolerance = 0;
  std::map<std::string, double> tolerances;  // by figure, in place of `tolerance`
  Metrics expected;
  Fingerprint ranks;  // empty where nothing is remembered

  std::string name() const;  // "deepseek_v3_h800 dualpipe communication.sms=20"
};

struct MetricCheck {
  std::string metric;  // "step_time_s"
  double before = 0;
  double now = 0;
  bool worse = false;
  double change() const { return before == 0 ? 0 : now / before - 1; }
};

Result<std::vector<BaselineCase>> LoadBaseline(const std::string& path);

Metrics MetricsOf(const StepResult& result);

// One check a figure. Fails where the case has no figures yet.
Result<std::vector<MetricCheck>> CheckAgainst(const BaselineCase& baseline, const Metrics& now);

}  // namespace pipescope
