#include "cli/regress_verb.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <vector>

#include "cli/examples.h"
#include "cli/traces.h"
#include "cli/verb.h"
#include "reports/regress_report.h"
#include "reports/traced_step.h"
#include "sim/base/file.h"
#include "sim/result/baseline.h"
#include "sim/result/explain.h"
#include "sim/simulate.h"

namespace pipescope::cli {
namespace {

struct RegressOptions {
  std::string baseline;
  std::string junit, markdown;
  bool update = false;
};

Result<StepResult> Measure(const BaselineCase& c, const std::string& baseline_file) {
  const auto folder = std::filesystem::path(baseline_file).parent_path();
  const auto beside = [&](const std::string& file) {
    return (folder / file).lexically_normal().string();
  };
  if (!c.traces.empty()) {
    std::vector<std::string> files;
    for (const std::string& file : c.traces) files.push_back(beside(file));
    const auto loaded = LoadTraces(files);
    if (!loaded) return Fail(loaded.error());
    return reports::TracedStep(loaded->traces, loaded->timeline);
  }
  auto experiment = LoadExperiment(beside(c.experiment), c.overrides);
  if (!experiment) return Fail(experiment.error());
  // A peak over the memory is a figure like any other here.
  experiment->enforce_memory = false;
  return Simulate(*experiment, c.schedule);
}

int Update(const RegressOptions& o, std::vector<BaselineCase> cases) {
  for (BaselineCase& c : cases) {
    auto now = Measure(c, o.baseline);
    if (!now) return Complain(now.error());
    c.expected = MetricsOf(*now);
    c.ranks = FingerprintOf(*now);
  }
  auto written = WriteFileAtomically(o.baseline, reports::BaselineJson(cases));
  if (!written) return Complain(written.error());
  std::fprintf(stderr, "pipescope: wrote %s\n", o.baseline.c_str());
  return kOk;
}

// What changed, of each thing that got worse.
std::vector<std::string> ReasonsOf(const BaselineCase& c, const std::vector<MetricCheck>& checks,
                                   const StepResult& now) {
  bool slower = false, fuller = false;
  for (const MetricCheck& check : checks) {
    if (!check.worse) continue;
    (check.metric == "memory_peak_bytes" ? fuller : slower) = true;
  }
  std::vector<std::string> reasons;
  if (slower) reasons = ExplainSlower(c.ranks, now);
  if (fuller) {
    for (std::string& reason : ExplainFuller(c.ranks, now)) reasons.push_back(std::move(reason));
  }
  return reasons;
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
    auto checks = CheckAgainst(c, MetricsOf(*now));
    if (!checks) return Complain({checks.error().message, {o.baseline}});
    worse = worse || std::any_of(checks->begin(), checks->end(),
                                 [](const MetricCheck& check) { return check.worse; });
    std::vector<std::string> reasons = ReasonsOf(c, *checks, *now);
    checked.push_back({c, std::move(*checks), std::move(reasons)});
  }
  const int emitted = EmitAll(
      {{o.junit, reports::RegressJunit(checked)}, {o.markdown, reports::RegressMarkdown(checked)}},
      "", reports::RegressText(checked));
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
  verb->add_option("--markdown", options->markdown, "Write a table and what changed, as Markdown")
      ->type_name("FILE");
  verb->callback([options, &exit_code] { exit_code = Run(*options); });
  LeadWithExamples(*verb,
                   "pipescope regress --baseline experiments/baseline.json\n"
                   "pipescope regress --baseline experiments/baseline.json --junit junit.xml "
                   "--markdown summary.md\n"
                   "pipescope regress --baseline experiments/baseline.json --update");
}

}  // namespace pipescope::cli
