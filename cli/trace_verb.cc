#include "cli/trace_verb.h"

#include <memory>

#include "cli/examples.h"
#include "cli/verb.h"
#include "reports/trace_report.h"
#include "sim/trace/read.h"
#include "sim/trace/summary.h"

namespace pipescope::cli {
namespace {

struct TraceOptions {
  std::string file;
  std::string format = "text";
  std::string output;
};

int Show(const TraceOptions& o) {
  const auto trace = trace::ReadTrace(o.file);
  if (!trace) return Complain(trace.error());
  const auto timeline = trace::TimelineOf(*trace);
  if (!timeline) return Complain(timeline.error());
  const trace::Summary summary = trace::Summarize(*trace, *timeline);
  return Emit(o.output, o.format == "json" ? reports::TraceJson(*trace, summary)
                                           : reports::TraceText(*trace, summary));
}

}  // namespace

void AddTraceVerb(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("trace", "A PyTorch profiler's trace of a real step.");
  verb->require_subcommand(1);
  CLI::App* show = verb->add_subcommand("show", "Streams, phases, operations and their overlap.");
  const auto options = std::make_shared<TraceOptions>();
  show->add_option("trace", options->file, "Chrome trace of PyTorch's profiler, plain or gzip")
      ->required()
      ->type_name("TRACE.json[.gz]");
  show->add_option("--format", options->format, "text (default) or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");
  show->add_option("-o,--output", options->output, "Write there instead of to stdout")
      ->type_name("FILE");
  show->callback([options, &exit_code] { exit_code = Show(*options); });
  const char* const examples =
      "pipescope trace show rank0.pt.trace.json.gz\n"
      "pipescope trace show rank0.pt.trace.json --format json";
  LeadWithExamples(*show, examples);
  LeadWithExamples(*verb, examples);
}

}  // namespace pipescope::cli
