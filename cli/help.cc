#include "cli/help.h"

#include <algorithm>
#include <memory>

namespace pipescope::cli {
namespace {

class ExamplesFirst : public CLI::Formatter {
 public:
  explicit ExamplesFirst(std::string examples) : examples_(std::move(examples)) {}

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    const std::string rest = CLI::Formatter::make_help(app, std::move(name), mode);
    return "Examples:\n" + examples_ + "\n" + rest;
  }

 private:
  std::string examples_;
};

}  // namespace

void LeadWithExamples(CLI::App& app, const std::string& examples) {
  std::string indented;
  size_t begin = 0;
  while (begin < examples.size()) {
    const size_t end = std::min(examples.find('\n', begin), examples.size());
    indented += "  " + examples.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  app.formatter(std::make_shared<ExamplesFirst>(indented));
}

}  // namespace pipescope::cli
