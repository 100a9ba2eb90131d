// `pipescope sweep`: an experiment at every point of a grid.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace pipescope::cli {

void AddSweepVerb(CLI::App& app, const std::string& command, int& exit_code);

}  // namespace pipescope::cli
