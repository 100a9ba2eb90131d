#include "cli/suffixes.h"

#include <fmt/format.h>

#include <cctype>
#include <cmath>
#include <string>

#include "sim/base/quantity.h"

namespace pipescope::cli {
namespace {

bool ShownAsNumber(const std::string& type) {
  const std::string first = type.substr(0, type.find_first_of(":,["));
  return first == "TOKENS" || (first.size() == 1 && std::isupper(first.front()) != 0);
}

// Written out where it ends in a suffix, else as it is: whether it is a number, CLI11 says.
std::string WrittenOut(const std::string& text) {
  if (text.empty() || std::isalpha(static_cast<unsigned char>(text.back())) == 0) return text;
  const auto number = ParseNumber(text);
  if (!number) return text;
  return *number == std::floor(*number) ? fmt::format("{:.0f}", *number)
                                        : fmt::format("{}", *number);
}

}  // namespace

void AllowSuffixes(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_type_size() > 0 && ShownAsNumber(option->get_type_name())) {
      option->transform(CLI::Validator(
          [](std::string& text) {
            text = WrittenOut(text);
            return std::string();
          },
          ""));
    }
  }
  for (CLI::App* verb : app.get_subcommands(nullptr)) AllowSuffixes(*verb);
}

}  // namespace pipescope::cli
