// Options take numbers as experiments do: --microbatches 1k, --sequence 4Ki (sim/base/quantity.h).
#pragma once

#include <CLI/CLI.hpp>

namespace pipescope::cli {

// Of every verb, the options whose value help shows as a number: one capital letter, or TOKENS.
// Call it when all verbs are there.
void AllowSuffixes(CLI::App& app);

}  // namespace pipescope::cli
