// `simulate`: one step under one schedule. `compare`: the same work under several.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace pipescope::cli {

// `command` is what the outputs show to be reproduced with.
void AddSimulateVerb(CLI::App& app, const std::string& command, int& exit_code);
void AddCompareVerb(CLI::App& app, const std::string& command, int& exit_code);

}  // namespace pipescope::cli
