#include "cli/trace_verb.h"

#include <cstdio>
#include <memory>

#include "cli/examples.h"
#include "cli/traces.h"
#include "cli/verb.h"
#include "cli/version.h"
#include "reports/html.h"
#include "reports/perfetto.h"
#include "reports/pipeline_report.h"
#include "reports/replay_report.h"
#include "reports/trace_report.h"
#include "reports/traced_step.h"
#include "sim/base/names.h"
#include "sim/base/quantity.h"
#include "sim/experiment/experiment.h"
#include "sim/measured/profile_file.h"
#include "sim/trace/import.h"
#include "sim/trace/read.h"
#include "sim/trace/summary.h"

namespace pipescope::cli {
namespace {

struct TraceOptions {
  std::vector<std::string> files;
  bool replay = false;
  std::vector<std::string> scales;  // "CLASS=F"
  std::string format = "text";
  std::string output;
  std::string html, trace;  // files to write
  std::string command;
};

// The report, and the page and trace of the same timeline where they were asked for.
int Write(const TraceOptions& o, const std::vector<trace::Trace>& traces,
          const timeline::Timeline& timeline, const std::string& text) {
  std::vector<OutputFile> files;
  if (!o.html.empty() || !o.trace.empty()) {
    const StepResult step = reports::TracedStep(traces, timeline);
    const reports::ReportFrame frame = {step.experiment, o.command, kVersion};
    if (!o.html.empty()) files.push_back({o.html, reports::HtmlReport({step}, frame)});
    if (!o.trace.empty()) files.push_back({o.trace, reports::PerfettoTrace({step})});
  }
  return EmitAll(files, o.output, text);
}

// "dispatch=0.5" into the scales; "host" is what the CPU does between launches.
Status ReadScale(const std::string& text, replay::Scales& scales) {
  const size_t equals = text.rfind('=');
  const std::string name = text.substr(0, equals);
  const auto factor = equals == std::string::npos ? Result<double>(Fail("no number"))
                                                  : ParseNumber(text.substr(equals + 1));
  if (!factor || *factor < 0 || *factor > 1000) {
    return Fail("--scale '" + text +
                "': expected CLASS=F with F from 0 to 1000, such as "
                "dispatch=0.5");
  }
  scales.any = scales.any || *factor != 1;
  std::vector<std::string> known = {"host"};
  double* found = name == "host" ? &scales.host : nullptr;
  for (int c = 0; c < trace::kOperationClasses; ++c) {
    known.emplace_back(trace::Name(static_cast<trace::OperationClass>(c)));
    if (known.back() == name) found = &scales.of_class[static_cast<size_t>(c)];
  }
  if (found == nullptr) {
    return Fail("--scale '" + text + "': no class of operations is called '" + name + "'" +
                Suggestion(name, known));
  }
  *found = *factor;
  return {};
}

int ShowReplay(const TraceOptions& o, const trace::Trace& trace) {
  replay::Scales scales;
  for (const std::string& scale : o.scales) {
    if (auto ok = ReadScale(scale, scales); !ok) return Complain(ok.error());
  }
  const auto replay = replay::ReplayTrace(trace, scales);
  if (!replay) return Complain(replay.error());
  const auto timeline = trace::TimelineOf(replay->trace);
  if (!timeline) return Complain(timeline.error());
  const trace::Summary summary = trace::Summarize(replay->trace, *timeline);
  return Write(o, {replay->trace}, timeline->timeline,
               o.format == "json" ? reports::ReplayJson(*replay, summary)
                                  : reports::ReplayText(*replay, summary));
}

// Several traces, one a rank.
int ShowPipeline(const TraceOptions& o) {
  if (o.replay || !o.scales.empty()) {
    return Complain(Error{"--replay and --scale are for one trace"});
  }
  const auto loaded = LoadTraces(o.files);
  if (!loaded) return Complain(loaded.error());
  const auto report = o.format == "json" ? reports::PipelineJson : reports::PipelineText;
  return Write(o, loaded->traces, loaded->timeline,
               report(loaded->traces, *loaded->alignment, *loaded->pipeline));
}

int Show(const TraceOptions& o) {
  if (o.files.size() > 1) return ShowPipeline(o);
  const auto trace = trace::ReadTrace(o.files.front());
  if (!trace) return Complain(trace.error());
  if (o.replay || !o.scales.empty()) return ShowReplay(o, *trace);
  const auto timeline = trace::TimelineOf(*trace);
  if (!timeline) return Complain(timeline.error());
  const trace::Summary summary = trace::Summarize(*trace, *timeline);
  return Write(o, {*trace}, timeline->timeline,
               o.format == "json" ? reports::TraceJson(*trace, summary)
                                  : reports::TraceText(*trace, summary));
}

struct ImportOptions {
  std::string file;
  std::string experiment;
  std::string output;
};

int Import(const ImportOptions& o) {
  std::optional<measured::Layer> layer;
  if (!o.experiment.empty()) {
    const auto experiment = LoadExperiment(o.experiment);
    if (!experiment) return Complain(experiment.error());
    layer = costs::LayerOf(experiment->model, experiment->shape());
  }
  const auto trace = trace::ReadTrace(o.file);
  if (!trace) return Complain(trace.error());
  const auto timeline = trace::TimelineOf(*trace);
  if (!timeline) return Complain(timeline.error());
  if (!layer) {
    std::fputs(
        "pipescope: no phases imported, only operations: --of EXPERIMENT.yaml tells which "
        "layer they are of\n",
        stderr);
  }
  return Emit(o.output, measured::ProfileJson(trace::ImportProfile(*trace, *timeline, layer)));
}

void AddImport(CLI::App& verb, int& exit_code) {
  CLI::App* import = verb.add_subcommand("import", "A trace's times as costs for experiments.");
  const auto options = std::make_shared<ImportOptions>();
  import->add_option("trace", options->file, "Chrome trace of PyTorch's profiler, plain or gzip")
      ->required()
      ->type_name("TRACE.json[.gz]");
  import
      ->add_option("--of", options->experiment,
                   "The run that the trace is of: its model and plan tell which layer the "
                   "annotated phases are of. Without it only operations are imported, from which "
                   "no cost is read")
      ->type_name("EXPERIMENT.yaml");
  import->add_option("-o,--output", options->output, "Write there instead of to stdout")
      ->type_name("PROFILE.json");
  import->callback([options, &exit_code] { exit_code = Import(*options);
});
LeadWithExamples(*import,
                 "pipescope trace import rank0.pt.trace.json --of deepseek_v3_h800.yaml "
                 "-o h800.json\n"
                 "pipescope simulate deepseek_v3_h800.yaml --set costs.profile=$PWD/h800.json");
}  // namespace

}  // namespace pipescope::cli

void AddTraceVerb(CLI::App& app, const std::string& command, int& exit_code) {
  CLI::App* verb = app.add_subcommand("trace", "A PyTorch profiler's trace of a real step.");
  verb->require_subcommand(1);
  CLI::App* show = verb->add_subcommand("show", "Streams, phases, operations and their overlap.");
  const auto options = std::make_shared<TraceOptions>();
  show->add_option("trace", options->files,
                   "Chrome trace of PyTorch's profiler, plain or gzip; several, one a rank, are "
                   "put on one clock and shown as a pipeline")
      ->required()
      ->type_name("TRACE.json[.gz]");
  show->add_flag("--replay", options->replay,
                 "Run the operations again from what they waited for, and show that");
  show->add_option("--scale", options->scales,
                   "Replay with operations of a class (or 'host': launching) F times as long")
      ->type_name("CLASS=F");
  show->add_option("--format", options->format, "text (default) or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");
  show->add_option("-o,--output", options->output, "Write there instead of to stdout")
      ->type_name("FILE");
  show->add_option("--html", options->html, "Write a report that opens in any browser")
      ->type_name("FILE");
  show->add_option("--trace", options->trace, "Write the timeline for ui.perfetto.dev")
      ->type_name("FILE");
  options->command = command;
  show->callback([options, &exit_code] { exit_code = Show(*options); });
  AddImport(*verb, exit_code);
  const char* const examples =
      "pipescope trace show rank0.pt.trace.json.gz\n"
      "pipescope trace show rank0.pt.trace.json --format json\n"
      "pipescope trace show rank0.json.gz rank1.json.gz rank2.json.gz\n"
      "pipescope trace show rank0.pt.trace.json --replay --scale dispatch=0.5 --scale host=0";
  LeadWithExamples(*show, examples);
  LeadWithExamples(*verb, examples);
}

}  // namespace pipescope::cli
