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
    return "Examples:\n" + examples_ + "\n" + Formatter::make_help(app, std::move(name), mode);
  }

 private:
  std::string examples_;
};

}  // namespace

void LeadWithExamples(CLI::App& verb, const std::string& examples) {
  std::istringstream lines(examples);
  std::string indented;
  for (std::string line; std::getline(lines, line);) {
    indented += "  " + line.substr(std::min(line.find_first_not_of(' '), line.size())) + "\n";
  }
  verb.formatter(std::make_shared<ExamplesFirst>(indented));
}

}  // namespace pipescope::cli
