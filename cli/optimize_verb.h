// `pipescope schedule optimize`: an order made for given costs and a memory limit.
#pragma once

#include "cli/verb.h"

namespace pipescope::cli {

// Adds the subcommand to `schedule`.
void AddOptimizeVerb(CLI::App& schedule, int& exit_code);

}  // namespace pipescope::cli
