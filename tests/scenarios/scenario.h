// A scenario: a small experiment beside the report it must give, or a command beside its output.
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"

namespace pipescope {

// Names of the scenarios in a folder, sorted: YAML files that have a schedule, and commands.
std::vector<std::string> ScenarioNames(const std::string& folder);

// What `pipescope simulate NAME.yaml` prints, or, where there is a NAME.command, what that does
// where it is typed in the folder. The binary is then the one in the runfiles, where we must stand.
Result<std::string> RunScenario(const std::string& folder, const std::string& name);

}  // namespace pipescope
