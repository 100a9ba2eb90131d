// `pipescope topology list|show|check|import|export`: fabrics, shipped ones and files. See --help
// for examples.
#pragma once

#include <CLI/CLI.hpp>

namespace pipescope::cli {

void AddTopologyVerb(CLI::App& app, int& exit_code);

}  // namespace pipescope::cli
