#include "cli/regress_verb.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <vector>

#include "cli/examples.h"
#include "cli/verb.h"
#include "reports/regress_report.h"
#include "sim/base/file.h"
#include "sim/result/baseline.h"
#include "sim/simulate.h"

namespace pipescope::cli {
namespace {

struct RegressOptions {
  std::string baseline;
  std::string junit;
  bool update = false;
};

Result<Metrics> Measure(const BaselineCase& c, const std::string& baseline_file) {
  const auto folder = std::filesystem::path(baseline_file).parent_path();
  auto experiment =
      LoadExperiment((folder / c.experiment).lexically_normal().string(), c.overrides);
  if (!experiment) return Fail(experiment.error());
  // A peak over the memory is a figure like any other here.
  experiment->enforce_memory = false;
  auto result = Simulate(*experiment, c.schedule);
  if (!result) return Fail(result.error());
  return MetricsOf(*result);
}

int Update(const RegressOptions& o, std::vector<BaselineCase> cases) {
  for (BaselineCase& c : cases) {
    auto now = Measure(c, o.baseline);
    if (!now) return Complain(now.error());
    c.expected = *now;
  }
  auto written = WriteFileAtomically(o.baseline, reports::BaselineJson(cases));
  if (!written) return Complain(written.error());
  std::fprintf(stderr, "pipescope: wrote %s\n", o.baseline.c_str());
  return kOk;
}

int Run(const RegressOptions& o) {
  auto cases = LoadBaseline(o.baseline);
  if (!cases) return Complain(cases.error());
  if (o.update) return Update(o, std::move(*cases));
  std::vector<reports::CheckedCase> checked;
  bool worse = false;
  for (const BaselineCase& c : *cases) {
    auto now = Measure(c, o.baseline);
    if (!now) return Complain(now.error());
    auto checks = CheckAgainst(c, *now);
    if (!checks) return Complain({checks.error().message, {o.baseline}});
    worse = worse || std::any_of(checks->begin(), checks->end(),
                                 [](const MetricCheck& check) { return check.worse; });
    checked.push_back({c, std::move(*checks)});
  }
  const int emitted =
      EmitAll({{o.junit, reports::RegressJunit(checked)}}, "", reports::RegressText(checked));
  return emitted != kOk ? emitted : worse ? kCheckFailed : kOk;
}

}  // namespace

void AddRegressVerb(CLI::App& app, int& exit_code) {
  CLI::App* verb =
      app.add_subcommand("regress", "Exit 1 when a step got worse than its baseline allows.");
  const auto options = std::make_shared<RegressOptions>();
  verb->add_option("--baseline", options->baseline, "The figures to hold to")
      ->required()
      ->type_name("FILE");
  verb->add_flag("--update", options->update, "Write today's figures into the baseline");
  verb->add_option("--junit", options->junit, "Write a JUnit report for CI")->type_name("FILE");
  verb->callback([options, &exit_code] { exit_code = Run(*options); });
  LeadWithExamples(*verb,
                   "pipescope regress --baseline experiments/baseline.json\n"
                   "pipescope regress --baseline experiments/baseline.json --junit junit.xml\n"
                   "pipescope regress --baseline experiments/baseline.json --update");
}

}  // namespace pipescope::cli
