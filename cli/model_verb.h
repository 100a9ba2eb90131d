// `model`: what a config.json says: parameters, FLOPs, bytes, activations.
#pragma once

#include <CLI/CLI.hpp>

namespace pipescope::cli {

void AddModelVerb(CLI::App& app, int& exit_code);

}  // namespace pipescope::cli
