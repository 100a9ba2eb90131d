// `trace`: a profiler's trace of a real step, seen as the simulator's own are.
#pragma once

#include <CLI/CLI.hpp>

namespace pipescope::cli {

void AddTraceVerb(CLI::App& app, int& exit_code);

}  // namespace pipescope::cli
