#include "cli/report_verb.h"

#include <memory>

#include "cli/examples.h"
#include "cli/stored_result.h"
#include "cli/verb.h"
#include "reports/html.h"

namespace pipescope::cli {
namespace {

int Run(const std::string& input, const std::string& baseline, const std::string& output) {
  auto data = LoadStored(input);
  if (!data) return Complain(data.error());
  if (!baseline.empty()) {
    auto before = LoadBaseline(baseline);
    if (!before) return Complain(before.error());
    (*data)["baseline"] = std::move(*before);
  }
  return Emit(output, reports::HtmlPage(*data));
}

}  // namespace

void AddReportVerb(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("report", "A report from a stored result.");
  const auto input = std::make_shared<std::string>();
  const auto baseline = std::make_shared<std::string>();
  const auto output = std::make_shared<std::string>();
  verb->add_option("result", *input, "A file that simulate or compare wrote with --json")
      ->required()
      ->type_name("RESULT.json");
  verb->add_option("--baseline", *baseline, "An earlier result to show changes against")
      ->type_name("RESULT.json");
  verb->add_option("-o,--output", *output, "The report")->required()->type_name("REPORT.html");
  verb->callback(
      [input, baseline, output, &exit_code] { exit_code = Run(*input, *baseline, *output); });
  LeadWithExamples(*verb,
                   "pipescope report result.json -o report.html\n"
                   "pipescope report result.json --baseline before.json -o report.html");
}

}  // namespace pipescope::cli
