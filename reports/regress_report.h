// Results of `regress`: as text, as JUnit XML and Markdown for CI systems, and as a new baseline
// file.
#pragma once

#include <string>
#include <vector>

#include "sim/result/baseline.h"

namespace pipescope::reports {

struct CheckedCase {
  BaselineCase baseline;
  std::vector<MetricCheck> checks;
  std::vector<std::string> reasons;  // what changed, where a figure is worse (explain.h)
};

// A line a figure with its signed change, and a last line that sums up.
std::string RegressText(const std::vector<CheckedCase>& cases);

// One test case a figure; a failure says what it was and is.
std::string RegressJunit(const std::vector<CheckedCase>& cases);

// A table and, for cases that got worse, what changed: for a job's summary or a comment.
std::string RegressMarkdown(const std::vector<CheckedCase>& cases);

// The baseline file with the figures of `cases`.
std::string BaselineJson(const std::vector<BaselineCase>& cases);

}  // namespace pipescope::reports
