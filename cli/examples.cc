#include "cli/examples.h"

#include <memory>
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
  verb.formatter(std::make_shared<ExamplesFirst>(examples));
}

}  // namespace pipescope::cli
