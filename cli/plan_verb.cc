#include "cli/plan_verb.h"

#include <memory>
#include <optional>
#include <string>

#include "cli/examples.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "cli/version.h"
#include "reports/plan_json.h"
#include "reports/plan_text.h"
#include "reports/points_page.h"
#include "sim/base/parallel.h"
#include "sim/base/quantity.h"
#include "sim/freed_memory.h"
#include "sim/plan/search.h"

namespace pipescope::cli {
namespace {

struct PlanOptions {
  plan::Question question;
  std::string memory;
  std::string format = "text";
  std::string output, html;
  std::string command;
};

int RunPlan(const PlanOptions& o) {
  plan::Question question = o.question;
  if (!o.memory.empty()) {
    const auto limit = ParseBytes(o.memory);
    if (!limit) return Complain({"--memory '" + o.memory + "': " + limit.error().message});
    if (*limit <= Bytes()) return Complain({"--memory: expected more than nothing"});
    question.limit = *limit;
  }
  if (question.jobs == 0) question.jobs = DefaultJobs();
  std::optional<Progress> bar;
  std::string shown;
  question.progress = [&](const std::string& what, int64_t done, int64_t of) {
    // Plans are simulated in the order of their bounds: ever more of the later ones need not be.
    const auto parts = what == "decided" ? Progress::Parts::kUnlike : Progress::Parts::kAlike;
    if (shown != what) bar.emplace("plans " + what, of, parts);
    shown = what;
    bar->Reach(done);
  };
  KeepFreedMemory();
  const auto report = plan::Search(question);
  bar.reset();
  if (!report) return Complain(report.error());
  std::vector<OutputFile> files;
  if (!o.html.empty()) {
    files.push_back(
        {o.html, reports::PlanPage(*report, {report->experiment_file, o.command, kVersion})});
  }
  return EmitAll(
      files, o.output,
      o.format == "json" ? reports::PlanJson(*report) : reports::PlanText(*report, o.command));
}

void AddSpace(CLI::App& verb, plan::Space& space) {
  const auto list = [&](const char* name, auto& values, const char* what) {
    verb.add_option(name, values, what)->delimiter(',')->type_name("a,b");
  };
  const auto numbers = [&](const char* name, auto& values, const char* what, int most) {
    verb.add_option(name, values, what)
        ->delimiter(',')
        ->check(CLI::Range(1, most))
        ->type_name("n,m");
  };
  constexpr int kMost = 1 << 16;
  list("--schedules", space.schedules, "Names of `schedule list`");
  numbers("--gpus", space.gpus, "GPUs to use; the cluster's where not given", 1 << 24);
  numbers("--pipeline", space.pipeline, "Pipeline ranks; divisors of the GPUs", kMost);
  numbers("--tensor", space.tensor, "Tensor-parallel GPUs; powers of two up to a node", kMost);
  numbers("--expert", space.expert, "Expert-parallel GPUs; powers of two up to the experts", kMost);
  numbers("--micro-batch", space.micro_batch, "Sequences of a micro-batch; 1,2,4", kMost);
  numbers("--chunks", space.chunks, "Stages a rank holds, of schedules that leave it; 2,4", kMost);
  numbers("--sms", space.sms, "SMs for communication; the experiment's and 8,16,24,32", 4096);
  verb.add_option("--recompute", space.recompute, "none, selective, full, deepseek_v3")
      ->delimiter(',')
      ->check(CLI::IsMember({"none", "selective", "full", "deepseek_v3"}))
      ->type_name("a,b");
}

}  // namespace

void AddPlanVerb(CLI::App& app, const std::string& command, int& exit_code) {
  CLI::App* verb =
      app.add_subcommand("plan", "The best plans for a model on a cluster, within its memory.");
  const auto options = std::make_shared<PlanOptions>();
  options->command = command;
  options->question.jobs = 0;
  plan::Question& q = options->question;
  verb->add_option("experiment", q.experiment, "Model, cluster and batch; its plan is replaced")
      ->required()
      ->type_name("EXPERIMENT.yaml");
  verb->add_option("--memory", options->memory, "Of a GPU; all it has where not given")
      ->type_name("SIZE");
  verb->add_option("--top", q.top, "How many of the fastest to list; 10")
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  AddSpace(*verb, q.space);
  verb->add_option("--set", q.overrides, "Set a field of the experiment; may be repeated")
      ->type_name("a.b=c")
      ->allow_extra_args(false);
  verb->add_option("--jobs", q.jobs, "Threads; this machine's processors where not given")
      ->check(CLI::Range(1, 4096))
      ->type_name("N");
  verb->add_option("--format", options->format, "On stdout: text (default) or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");
  verb->add_option("-o,--output", options->output, "Write there instead of to stdout")
      ->type_name("FILE");
  verb->add_option("--html", options->html, "Write a page that opens in any browser")
      ->type_name("FILE");
  verb->callback([options, &exit_code] { exit_code = RunPlan(*options); });
  LeadWithExamples(*verb,
                   "pipescope plan experiments/deepseek_v3_h800.yaml\n"
                   "pipescope plan experiments/deepseek_v3_h800.yaml --memory 64GiB --schedules "
                   "1f1b,dualpipe --html plan.html\n"
                   "pipescope plan experiments/deepseek_v3_h800.yaml --gpus 1024,2048 --sms 20 "
                   "--format json");
}

}  // namespace pipescope::cli
