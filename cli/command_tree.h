// The verbs and options as plain data, read off CLI11's tree: what completion scripts and the man
// page are made of, so that neither can forget a verb.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace pipescope::cli {

struct CommandOption {
  std::vector<std::string> names;   // "-o", "--output"; empty for what stands without a name
  std::string value;                // "FILE"; "" for a flag
  std::vector<std::string> values;  // where only these are taken
  std::string description;
  bool required = false;

  bool names_file() const;  // a value that is a file's name
};

struct Command {
  std::string name;  // "pipescope schedule show"
  std::string description;
  std::vector<std::string> examples;
  std::vector<CommandOption> options;
  std::vector<CommandOption> arguments;
  std::vector<Command> verbs;
};

Command TreeOf(const CLI::App& app);

// The values of a check as CLI11 words it: "{text,json}" gives text and json.
std::vector<std::string> ValuesIn(const std::string& braces);

}  // namespace pipescope::cli
