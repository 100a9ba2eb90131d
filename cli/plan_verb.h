// `pipescope plan`: the best ways to run an experiment's model on its cluster.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace pipescope::cli {

void AddPlanVerb(CLI::App& app, const std::string& command, int& exit_code);

}  // namespace pipescope::cli
