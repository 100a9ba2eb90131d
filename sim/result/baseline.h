// Baselines: what a step took when it was last found good, to tell when it gets worse.
//
// A baseline file is JSON (or YAML):
//   {"cases": [{"experiment": "deepseek_v3_h800.yaml", "schedule": "dualpipe",
//               "set": ["communication.sms=20"], "tolerance": 0.0,
//               "step_time_s": 15.7, "bubble_s": 0.95, "memory_peak_bytes": 70211231744}]}
// `experiment` counts from the file; `set` and `tolerance` (a share, 0 by default: the simulation
// is deterministic) may be left out, and the three figures until `regress --update` fills them in.
// bubble_s is the mean over ranks. Worse is larger than the figure by more than the tolerance.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/result/result_types.h"

namespace pipescope {

struct Metrics {
  std::optional<double> step_time_s;
  std::optional<double> bubble_s;
  std::optional<double> memory_peak_bytes;
};

struct BaselineCase {
  std::string experiment;  // as written
  std::string schedule;
  std::vector<std::string> overrides;
  double tolerance = 0;
  Metrics expected;

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
