// A scenario: a small experiment beside the report it must give.
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"

namespace pipescope {

// Names of the scenarios in a folder, sorted: YAML files that have a schedule.
std::vector<std::string> ScenarioNames(const std::string& folder);

// What `pipescope simulate NAME.yaml` prints.
Result<std::string> RunScenario(const std::string& folder, const std::string& name);

}  // namespace pipescope
