#include "cli/examples.h"

#include <memory>
#include <sstream>
#include <utility>

namespace pipescope::cli {
namespace {

class ExamplesFirst : public CLI::Formatter {
 public:
  explicit ExamplesFirst(std::string examples) : examples_(std::move(examples)) {}

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    std::string indented;
    std::istringstream lines(examples_);
    for (std::string line; std::getline(lines, line);) indented += "  " + line + "\n";
    return "Examples:\n" + indented + "\n" + Formatter::make_help(app, std::move(name), mode);
  }

  const std::string& examples() const { return examples_; }

 private:
  std::string examples_;
};

}  // namespace

void LeadWithExamples(CLI::App& verb, const std::string& examples) {
  std::istringstream lines(examples);
  std::string trimmed;
  for (std::string line; std::getline(lines, line);) {
    trimmed += line.substr(std::min(line.find_first_not_of(' '), line.size())) + "\n";
  }
  verb.formatter(std::make_shared<ExamplesFirst>(trimmed));
}

std::string ExamplesOf(const CLI::App& verb) {
  const auto formatter = verb.get_formatter();
  const CLI::App* parent = verb.get_parent();
  if (parent != nullptr && parent->get_formatter() == formatter) return "";  // inherited
  const auto own = std::dynamic_pointer_cast<ExamplesFirst>(formatter);
  return own == nullptr ? "" : own->examples();
}

}  // namespace pipescope::cli
