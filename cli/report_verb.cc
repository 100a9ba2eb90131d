#include "cli/report_verb.h"

#include <memory>

#include "cli/examples.h"
#include "cli/verb.h"
#include "reports/stored.h"
#include "sim/base/file.h"

namespace pipescope::cli {
namespace {

constexpr int64_t kMaxStoredBytes = int64_t{256} << 20;

int Run(const std::string& input, const std::string& output) {
  auto text = ReadFile(input, kMaxStoredBytes);
  if (!text) return Complain(text.error());
  auto page = reports::StoredReport(*text, input);
  if (!page) return Complain(page.error());
  return Emit(output, *page);
}

}  // namespace

void AddReportVerb(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("report", "A report from a stored result.");
  const auto input = std::make_shared<std::string>();
  const auto output = std::make_shared<std::string>();
  verb->add_option("result", *input, "A file that simulate or compare wrote with --json")
      ->required()
      ->type_name("RESULT.json");
  verb->add_option("-o,--output", *output, "The report")->required()->type_name("REPORT.html");
  verb->callback([input, output, &exit_code] { exit_code = Run(*input, *output); });
  LeadWithExamples(*verb, "pipescope report result.json -o report.html");
}

}  // namespace pipescope::cli
