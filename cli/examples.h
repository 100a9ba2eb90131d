// Puts examples at the head of a verb's --help, and keeps the verb's description, which its parent
// lists, to one line. `examples` is a command a line.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace pipescope::cli {

// Call it after the verb's own subcommands are added: they would inherit the examples.
void LeadWithExamples(CLI::App& verb, const std::string& examples);

// The verb's own examples, a command a line; "" where it has none.
std::string ExamplesOf(const CLI::App& verb);

}  // namespace pipescope::cli
