// JSON of `simulate` and `compare`: the keys that other tools rely on. Times end in `_s`, sizes in
// `_bytes`; the same input gives the same bytes.
#pragma once

#include <string>
#include <vector>

#include "sim/result/result_types.h"

namespace pipescope::reports {

// One result as an object; ends with a newline.
std::string StepJson(const StepResult& result);

// {"results": [...]}, in the order given.
std::string CompareJson(const std::vector<StepResult>& results);

}  // namespace pipescope::reports
