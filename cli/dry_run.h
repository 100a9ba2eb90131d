// What a run would simulate, without simulating it: the experiment with every default filled in,
// as YAML that is an experiment itself, and, as comments, what each schedule makes of it. Paths
// stay as they are: those of the experiment count from its own folder.
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/experiment/experiment.h"

namespace pipescope::cli {

// Fails where a schedule or its layout cannot be made for the experiment.
Result<std::string> PlanText(const Experiment& experiment,
                             const std::vector<std::string>& schedules, const std::string& fidelity,
                             const std::string& engine);

}  // namespace pipescope::cli
