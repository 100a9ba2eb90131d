// `trace`: a profiler's trace of a real step, seen as the simulator's own are.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace pipescope::cli {

// `command` is echoed in the report.
void AddTraceVerb(CLI::App& app, const std::string& command, int& exit_code);

}  // namespace pipescope::cli
