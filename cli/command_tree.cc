#include "cli/command_tree.h"

#include <sstream>

#include "cli/examples.h"

namespace pipescope::cli {
namespace {

CommandOption OptionOf(const CLI::Option& option) {
  CommandOption made;
  for (const std::string& name : option.get_snames()) made.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) made.names.push_back("--" + name);
  // The name of the type, then ":" and what each check says of itself.
  const std::string type = option.get_type_size() == 0 ? "" : option.get_type_name();
  made.values = ValuesIn(type);
  made.value = type.substr(0, type.find(':'));
  made.description = option.get_description();
  made.required = option.get_required();
  return made;
}

Command TreeOf(const CLI::App& app, const std::string& above) {
  Command command;
  command.name = above.empty() ? app.get_name() : above + " " + app.get_name();
  command.description = app.get_description();
  std::istringstream lines(ExamplesOf(app));
  for (std::string line; std::getline(lines, line);) command.examples.push_back(line);
  for (const CLI::Option* option : app.get_options()) {
    (option->get_positional() ? command.arguments : command.options).push_back(OptionOf(*option));
    if (option->get_positional() && command.arguments.back().value.empty()) {
      command.arguments.back().value = option->get_name();
    }
  }
  for (const CLI::App* verb : app.get_subcommands(nullptr)) {
    command.verbs.push_back(TreeOf(*verb, command.name));
  }
  return command;
}

}  // namespace

bool CommandOption::names_file() const {
  return value.find("FILE") != value.npos || value.find(".yaml") != value.npos ||
         value.find(".json") != value.npos || value.find(".html") != value.npos;
}

std::vector<std::string> ValuesIn(const std::string& braces) {
  std::vector<std::string> values;
  const size_t from = braces.find('{'), to = braces.find('}', from == braces.npos ? 0 : from);
  if (from == braces.npos || to == braces.npos) return values;
  std::istringstream list(braces.substr(from + 1, to - from - 1));
  for (std::string value; std::getline(list, value, ',');) values.push_back(value);
  return values;
}

Command TreeOf(const CLI::App& app) { return TreeOf(app, ""); }

}  // namespace pipescope::cli
