#include "cli/sweep_verb.h"

#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <optional>

#include "cli/examples.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/sweep_store.h"
#include "cli/verb.h"
#include "cli/version.h"
#include "reports/points_page.h"
#include "reports/sweep_text.h"
#include "sim/base/parallel.h"
#include "sim/freed_memory.h"
#include "sim/sweep/identity.h"
#include "sim/sweep/run.h"

namespace pipescope::cli {
namespace {

struct SweepOptions {
  std::string experiment;
  std::vector<std::string> overrides, grids, lists, schedules;
  std::string fidelity = "op";
  std::string format = "text";
  std::string output, resume, worker, html;
  int jobs = 0;
  std::string command;
};

Result<sweep::Grid> GridOf(const SweepOptions& o) {
  std::vector<sweep::Axis> axes;
  for (const std::string& text : o.lists) {
    auto axis = sweep::ReadList(text);
    if (!axis) return Fail(axis.error());
    axes.push_back(*std::move(axis));
  }
  for (const std::string& text : o.grids) {
    auto axis = sweep::ParseGrid(text);
    if (!axis) return Fail(axis.error());
    axes.push_back(*std::move(axis));
  }
  if (!o.schedules.empty()) {
    sweep::Axis axis{{"schedule"}, {}};
    for (const std::string& name : o.schedules) axis.rows.push_back({name});
    axes.push_back(std::move(axis));
  }
  if (axes.empty()) {
    return Fail(
        "nothing to sweep; expected --grid, --list or --schedules (see pipescope sweep "
        "--help)");
  }
  return sweep::Grid::Make(std::move(axes));
}

Result<sweep::Worker> WorkerOf(const SweepOptions& o) {
  auto worker =
      o.worker.empty()
          ? sweep::WorkerFromEnvironment([](const char* name) { return std::getenv(name); })
          : sweep::ParseWorker(o.worker);
  if (worker && worker->size > 1 && o.output.empty() && o.resume.empty()) {
    return Fail("workers meet in a file; expected -o FILE or --resume FILE");
  }
  return worker;
}

Result<sweep::Sweep> SweepOf(const SweepOptions& o) {
  auto grid = GridOf(o);
  if (!grid) return Fail(grid.error());
  sweep::Sweep made{o.experiment, o.overrides, *std::move(grid)};
  made.fidelity = o.fidelity == "flow"       ? Fidelity::kFlow
                  : o.fidelity == "schedule" ? Fidelity::kSchedule
                                             : Fidelity::kOp;
  if (auto ok = sweep::CheckSweep(made); !ok) return Fail(ok.error());
  return made;
}

// Runs what is pending; fails where a line cannot be written.
Status RunPending(const SweepOptions& o, const sweep::Sweep& sweep, const std::string& identity,
                  SweepStore& store) {
  KeepFreedMemory();
  std::atomic<bool>& stop = CatchInterrupts();
  const std::vector<int64_t> pending = store.Pending();
  Progress progress("points", static_cast<int64_t>(pending.size()));
  Status status;
  const auto done = [&](const SweepPoint& point) {
    status = store.Append(point.index, SweepLine(point, identity));
    progress.Advance();
    return status.has_value();
  };
  sweep::RunPoints(sweep, pending, o.jobs > 0 ? o.jobs : DefaultJobs(), done, stop);
  return status;
}

int Show(const SweepOptions& o, const sweep::Lines& lines) {
  std::string json;
  std::vector<SweepPoint> points;
  for (const auto& [index, line] : lines) {
    if (o.format == "json") json += line + "\n";
    if (o.format == "json" && o.html.empty()) continue;
    auto stored = ReadSweepLine(line);
    if (!stored) return Complain(stored.error());
    points.push_back(std::move(stored->point));
  }
  std::vector<OutputFile> files;
  if (!o.html.empty()) {
    files.push_back({o.html, reports::SweepPage(points, {o.experiment, o.command, kVersion})});
  }
  return EmitAll(files, "", o.format == "json" ? json : reports::SweepText(points, o.command));
}

int RunSweepVerb(const SweepOptions& o) {
  if (!o.output.empty() && !o.resume.empty() && o.output != o.resume) {
    return Complain(
        {"-o and --resume name two files; expected one of them: --resume goes on with "
         "the file, -o begins it anew"});
  }
  const auto worker = WorkerOf(o);
  if (!worker) return Complain(worker.error());
  const auto sweep = SweepOf(o);
  if (!sweep) return Complain(sweep.error());
  const auto identity =
      sweep::IdentityOf(o.experiment, o.overrides, sweep->grid, o.fidelity, kVersion);
  if (!identity) return Complain(identity.error());
  const std::string file = o.resume.empty() ? o.output : o.resume;
  SweepStore store({file, !o.resume.empty(), *identity, sweep->grid.size(), *worker});
  if (auto opened = store.Open(); !opened) return Complain(opened.error());
  if (auto ran = RunPending(o, *sweep, *identity, store); !ran) return Complain(ran.error());
  const auto lines = store.Finish();
  if (!lines) return Complain(lines.error());
  const auto there = static_cast<int64_t>(lines->size());
  if (const int code = InterruptExitCode(); code != 0 && there < sweep->grid.size()) {
    std::fprintf(stderr, "pipescope: interrupted: %s of %s points are done%s\n",
                 std::to_string(there).c_str(), std::to_string(sweep->grid.size()).c_str(),
                 file.empty() ? "" : ("; go on with --resume " + file).c_str());
    return code;
  }
  if (there < sweep->grid.size()) {
    std::fprintf(stderr, "pipescope: worker %d of %d is done; %s of %s points are there\n",
                 worker->rank, worker->size, std::to_string(there).c_str(),
                 std::to_string(sweep->grid.size()).c_str());
    return kOk;
  }
  return Show(o, *lines);
}

void AddOptions(CLI::App& verb, SweepOptions& o) {
  verb.add_option("experiment", o.experiment, "The experiment to run")
      ->required()
      ->type_name("EXPERIMENT.yaml");
  verb.add_option("--grid", o.grids,
                  "Values of a field; several grids are combined, the last varies fastest")
      ->type_name("path=v1,v2,...")
      ->allow_extra_args(false);
  verb.add_option("--list", o.lists,
                  "Fields that change together, or a CSV file of them: paths, then a line a point")
      ->type_name("path=v1,...;path=w1,...|FILE.csv")
      ->allow_extra_args(false);
  verb.add_option("--schedules", o.schedules, "The same as --grid schedule=a,b, as the last grid")
      ->delimiter(',')
      ->type_name("a,b");
  verb.add_option("--set", o.overrides, "Set a field of every point; may be repeated")
      ->type_name("a.b=c")
      ->allow_extra_args(false);
  verb.add_option("--fidelity", o.fidelity, "schedule, op (default) or flow, as of `simulate`")
      ->check(CLI::IsMember({"schedule", "op", "flow"}))
      ->type_name("NAME");
  verb.add_option("--jobs", o.jobs, "Threads; this machine's processors where not given")
      ->check(CLI::Range(1, 4096))
      ->type_name("N");
  verb.add_option("-o,--output", o.output,
                  "Begin this file: a line of JSON a point as each finishes, sorted at the end")
      ->type_name("FILE.jsonl");
  verb.add_option("--resume", o.resume,
                  "Go on with this file: what it holds is not done again; also after kill -9")
      ->type_name("FILE.jsonl");
  verb.add_option("--worker", o.worker,
                  "Do this share of the points, the first of three is 0/3; else as mpirun or srun "
                  "say in the environment")
      ->type_name("RANK/SIZE");
  verb.add_option("--html", o.html, "Write a page that opens in any browser, when all is done")
      ->type_name("FILE");
  verb.add_option("--format", o.format, "On stdout: text (default) or json, a line a point")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");
}

}  // namespace

void AddSweepVerb(CLI::App& app, const std::string& command, int& exit_code) {
  CLI::App* verb = app.add_subcommand("sweep", "Predict the step at every point of a grid.");
  const auto options = std::make_shared<SweepOptions>();
  options->command = command;
  AddOptions(*verb, *options);
  verb->callback([options, &exit_code] { exit_code = RunSweepVerb(*options); });
  LeadWithExamples(*verb,
                   "pipescope sweep experiments/deepseek_v3_h800.yaml --grid "
                   "communication.sms=8,16,20,24,32 --schedules 1f1b,dualpipe --html sweep.html\n"
                   "pipescope sweep experiments/deepseek_v3_h800.yaml --list "
                   "'parallel.pipeline=8,16;parallel.data=256,128' -o points.jsonl\n"
                   "pipescope sweep experiments/deepseek_v3_h800.yaml --grid "
                   "communication.sms=8,16 --resume points.jsonl\n"
                   "mpirun pipescope sweep experiments/deepseek_v3_h800.yaml --grid "
                   "parallel.expert=16,32,64 -o /shared/points.jsonl");
}

}  // namespace pipescope::cli
