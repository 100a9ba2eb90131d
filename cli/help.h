// Help that leads with examples, while the list of subcommands stays a line each.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace pipescope::cli {

// `examples` is a command a line; the app keeps its short description.
void LeadWithExamples(CLI::App& app, const std::string& examples);

}  // namespace pipescope::cli
