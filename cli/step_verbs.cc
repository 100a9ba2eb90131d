#include "cli/step_verbs.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "cli/depth_warning.h"
#include "cli/dry_run.h"
#include "cli/examples.h"
#include "cli/explain.h"
#include "cli/stored_result.h"
#include "cli/verb.h"
#include "cli/version.h"
#include "reports/fabric_data.h"
#include "reports/html.h"
#include "reports/perfetto.h"
#include "reports/step_json.h"
#include "reports/step_text.h"
#include "sim/base/quantity.h"
#include "sim/sensitivity.h"
#include "sim/simulate.h"

namespace pipescope::cli {
namespace {

struct StepOptions {
  std::string experiment;
  std::vector<std::string> overrides;
  std::vector<std::string> schedules;  // of compare
  std::string schedule;                // of simulate, in place of the experiment's
  bool sensitivity = false;            // of simulate
  std::string explain;
  bool dry_run = false;
  std::string fidelity = "op";
  std::string engine = "native";
  std::string format = "text";
  std::string output, json, html, trace, baseline;
  std::string command;
};

void AddCommon(CLI::App& verb, StepOptions& o) {
  verb.add_option("experiment", o.experiment, "The experiment to run")
      ->required()
      ->type_name("EXPERIMENT.yaml");
  verb.add_option("--set", o.overrides, "Set a field of the experiment; may be repeated")
      ->type_name("a.b=c")
      ->allow_extra_args(false);
  verb.add_option("--fidelity", o.fidelity,
                  "What is simulated: schedule (actions of fixed length), op (operations on lanes, "
                  "which share the GPU; default) or flow (every GPU, every flow over the fabric)")
      ->check(CLI::IsMember({"schedule", "op", "flow"}))
      ->type_name("NAME");
  verb.add_option(
          "--engine", o.engine,
          "At fidelity flow, what shares links: native (default) or simgrid, the reference, "
          "for small steps")
      ->check(CLI::IsMember({"native", "simgrid"}))
      ->type_name("NAME");
  verb.add_option("--format", o.format, "On stdout: text (default) or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");
  verb.add_option("-o,--output", o.output, "Write there instead of to stdout")->type_name("FILE");
  verb.add_option("--json", o.json, "Write the results as JSON")->type_name("FILE");
  verb.add_option("--html", o.html, "Write a report that opens in any browser")->type_name("FILE");
  verb.add_option("--baseline", o.baseline,
                  "An earlier result (--json), against which the report (--html) shows changes")
      ->type_name("RESULT.json");
  verb.add_option("--trace", o.trace, "Write a trace for ui.perfetto.dev")->type_name("FILE");
  verb.add_flag("--dry-run", o.dry_run,
                "Only read and check the input: print what would be simulated and written");
}

// Everything is made before anything is written, and either all of it is written or nothing.
int WriteAll(const StepOptions& o, const topology::Cluster& cluster,
             const std::vector<StepResult>& results, const std::string& title,
             const std::string& text, const std::string& json) {
  reports::ReportFrame frame = {title, o.command, kVersion};
  frame.fabric = reports::FabricData(cluster);
  if (!o.baseline.empty()) {
    auto baseline = LoadBaseline(o.baseline);
    if (!baseline) return Complain(baseline.error());
    frame.baseline = std::move(*baseline);
  }
  const nlohmann::ordered_json data = o.json.empty() && o.html.empty()
                                          ? nlohmann::ordered_json()
                                          : reports::ReportData(results, frame);
  std::vector<OutputFile> files;
  if (!o.json.empty()) files.push_back({o.json, reports::WithReport(json, data)});
  if (!o.html.empty()) files.push_back({o.html, reports::HtmlPage(data)});
  if (!o.trace.empty()) files.push_back({o.trace, reports::PerfettoTrace(results)});
  return EmitAll(files, o.output, o.format == "json" ? json : text);
}

Fidelity FidelityOf(const StepOptions& o) {
  if (o.fidelity == "flow") return Fidelity::kFlow;
  return o.fidelity == "schedule" ? Fidelity::kSchedule : Fidelity::kOp;
}

EngineKind EngineOf(const StepOptions& o) {
  return o.engine == "simgrid" ? EngineKind::kSimGrid : EngineKind::kNative;
}

int DryRun(const StepOptions& o, const Experiment& experiment,
           const std::vector<std::string>& schedules) {
  auto plan = PlanText(experiment, schedules, o.fidelity, o.engine);
  if (!plan) return Complain(plan.error());
  for (const std::string& file : {o.output, o.json, o.html, o.trace}) {
    if (!file.empty()) *plan += "# would write: " + file + "\n";
  }
  return Emit("", *plan);
}

int RunExplain(const StepOptions& o, const Experiment& experiment, const StepResult& result) {
  const auto explained = Explain(experiment, result, o.explain);
  return explained ? Emit(o.output, ExplanationText(*explained)) : Complain(explained.error());
}

// The number under each schedule, one below the other.
int RunExplain(const StepOptions& o, const Experiment& experiment,
               const std::vector<StepResult>& results) {
  std::string text;
  for (const StepResult& result : results) {
    const auto explained = Explain(experiment, result, o.explain);
    if (!explained) return Complain(explained.error());
    text += fmt::format("{}{}\n{}", text.empty() ? "" : "\n", result.schedule,
                        ExplanationText(*explained));
  }
  return Emit(o.output, text);
}

int RunSimulate(const StepOptions& o) {
  auto experiment = LoadExperiment(o.experiment, o.overrides);
  if (!experiment) return Complain(experiment.error());
  const std::string& name = o.schedule.empty() ? experiment->schedule : o.schedule;
  if (o.dry_run) return DryRun(o, *experiment, {name});
  auto result = Simulate(*experiment, name, FidelityOf(o), EngineOf(o), Interval::kYes);
  if (!result) return Complain(result.error());
  std::fputs(DepthWarning(*experiment, *result, name).c_str(), stderr);
  if (!o.explain.empty()) return RunExplain(o, *experiment, *result);
  if (o.sensitivity) {
    auto list = SensitivitiesOf(*experiment, name, FidelityOf(o));
    if (!list) return Complain(list.error());
    result->sensitivities = std::move(*list);
  }
  const std::string title = fmt::format("{}: {}", result->experiment, result->schedule);
  const std::string text = reports::StepText(*result, o.command);
  const std::string json = reports::StepJson(*result);
  std::vector<StepResult> one;
  one.push_back(std::move(*result));
  return WriteAll(o, experiment->cluster, one, title, text, json);
}

int RunCompare(const StepOptions& o) {
  auto experiment = LoadExperiment(o.experiment, o.overrides);
  if (!experiment) return Complain(experiment.error());
  if (o.dry_run) return DryRun(o, *experiment, o.schedules);
  // One schedule that does not fit in memory is an answer; none that fits is an error.
  Experiment lenient = *experiment;
  lenient.enforce_memory = false;
  std::vector<StepResult> results;
  for (const std::string& name : o.schedules) {
    auto result = Simulate(lenient, name, FidelityOf(o), EngineOf(o));
    if (!result) return Complain(result.error());
    std::fputs(DepthWarning(lenient, *result, name).c_str(), stderr);
    results.push_back(std::move(*result));
  }
  const bool any =
      std::any_of(results.begin(), results.end(), [](const StepResult& r) { return r.fits; });
  if (!any && experiment->enforce_memory) {
    return Complain(Simulate(*experiment, o.schedules.front(), FidelityOf(o), EngineOf(o)).error());
  }
  if (!o.explain.empty()) return RunExplain(o, *experiment, results);
  const std::string title =
      experiment->name + ": " + fmt::format("{}", fmt::join(o.schedules, ", "));
  return WriteAll(o, experiment->cluster, results, title, reports::CompareText(results, o.command),
                  reports::CompareJson(results));
}

void AddExplain(CLI::App& verb, StepOptions& options) {
  verb.add_option("--explain", options.explain,
                  "Instead of the result, one number's formula with its values: step_time, "
                  "bubble, mfu, exposed_communication, memory, dispatch, hop, ...")
      ->type_name("NAME");
}

}  // namespace

void AddSimulateVerb(CLI::App& app, const std::string& command, int& exit_code) {
  CLI::App* verb = app.add_subcommand("simulate", "Predict one training step.");
  const auto options = std::make_shared<StepOptions>();
  options->command = command;
  AddCommon(*verb, *options);
  verb->add_option("--schedule", options->schedule,
                   "In place of the experiment's: a name of `schedule list`, or PyTorch's CSV")
      ->type_name("NAME|FILE.csv");
  verb->add_flag("--sensitivity", options->sensitivity,
                 "Also what a tenth more of each resource would buy, one at a time");
  AddExplain(*verb, *options);
  verb->callback([options, &exit_code] { exit_code = RunSimulate(*options); });
  LeadWithExamples(
      *verb,
      "pipescope simulate experiments/deepseek_v3_h800.yaml\n"
      "pipescope simulate experiments/deepseek_v3_h800.yaml --set communication.sms=8\n"
      "pipescope simulate experiments/deepseek_v3_h800.yaml --schedule 1f1b "
      "--html report.html --trace trace.json\n"
      "pipescope simulate experiments/deepseek_v3_h800.yaml --sensitivity\n"
      "pipescope simulate experiments/deepseek_v3_h800.yaml --explain tokens_per_second\n"
      "pipescope simulate experiments/deepseek_v3_h800.yaml --dry-run --html report.html");
}

void AddCompareVerb(CLI::App& app, const std::string& command, int& exit_code) {
  CLI::App* verb = app.add_subcommand("compare", "Predict the same step under several schedules.");
  const auto options = std::make_shared<StepOptions>();
  options->command = command;
  AddCommon(*verb, *options);
  verb->add_option("--schedules", options->schedules, "Names of `schedule list`, or CSV files")
      ->required()
      ->delimiter(',')
      ->type_name("a,b,c");
  AddExplain(*verb, *options);
  verb->callback([options, &exit_code] { exit_code = RunCompare(*options); });
  LeadWithExamples(*verb,
                   "pipescope compare experiments/deepseek_v3_h800.yaml "
                   "--schedules 1f1b,zb1p,dualpipe --html report.html\n"
                   "pipescope compare experiments/deepseek_v3_h800.yaml "
                   "--schedules 1f1b,dualpipe --explain bubble\n"
                   "pipescope compare experiments/deepseek_v3_h800.yaml --schedules 1f1b,dualpipe "
                   "--set topology=my_cluster.yaml --format json");
}

}  // namespace pipescope::cli
