#include "cli/schedule_verb.h"

#include <fmt/format.h>

#include <memory>
#include <optional>

#include "cli/examples.h"
#include "cli/optimize_verb.h"
#include "cli/schedule_show.h"
#include "cli/verb.h"
#include "reports/schedule_text.h"
#include "schedules/check.h"
#include "schedules/flow.h"
#include "schedules/limits.h"
#include "schedules/registry.h"
#include "schedules/schedule_file.h"

namespace pipescope::cli {
namespace {

int Show(const ShowOptions& options) {
  if ((options.comms || options.merge) && options.format != "csv") {
    return Complain(Error{"--comms and --merge need --format csv"});
  }
  auto text = RenderSchedule(options);
  return text ? Emit(options.output, *text) : Complain(text.error());
}

int Judge(const std::string& path, std::optional<int64_t> memory_limit) {
  auto file = schedules::JudgeScheduleFile(path);
  if (!file) return Complain(file.error());
  if (file->findings.empty() && memory_limit) {
    file->findings = CheckMemory(file->schedule, *memory_limit);
  }
  std::string text;
  if (file->old_letters) text += fmt::format("{}: {}\n", path, schedules::kOldLettersNote);
  for (const schedules::Finding& finding : file->findings) {
    text += fmt::format("{}: {}\n", path, ToString(finding));
  }
  if (file->findings.empty()) {
    const schedules::Schedule& schedule = file->schedule;
    text += fmt::format("{}: sound: {} ranks, {} stages, {} micro-batches{}\n", path,
                        schedule.ranks, schedule.stages, schedule.microbatches,
                        file->steps ? fmt::format("; lowered, {} unit steps", *file->steps) : "");
  } else if (file->findings.size() >= schedules::kMostFindings) {
    text += fmt::format("{}: at most {} findings are shown\n", path, schedules::kMostFindings);
  }
  const int emitted = Emit("", text);
  return emitted != kOk ? emitted : file->findings.empty() ? kOk : kCheckFailed;
}

void AddLowering(CLI::App& show, ShowOptions& options) {
  CLI::Option* comms = show.add_flag("--comms", options.comms,
                                     "With --format csv: the lowered order, with SEND and RECV");
  show.add_option("--unshard", options.lowering.max_active_stages,
                  "With --comms: UNSHARD and RESHARD too, N stages at a time (PyTorch: 3)")
      ->needs(comms)
      ->type_name("N");
  show.add_flag("--reduce-grad", options.lowering.reduce_grad, "With --comms: REDUCE_GRAD too")
      ->needs(comms);
  show.add_flag("--merge", options.merge,
                "With --format csv: join every I that its W follows directly into a B");
}

constexpr const char* kShowExamples =
    "pipescope schedule show 1f1b --ranks 4 --microbatches 8\n"
    "pipescope schedule show dualpipe --ranks 8 --microbatches 20 --cost F=1,I=1,W=1,FB=2.5\n"
    "pipescope schedule show interleaved-1f1b --ranks 4 --microbatches 8 --chunks 3\n"
    "pipescope schedule show zb-h1 --ranks 4 --microbatches 8 --format csv -o zb_h1.csv\n"
    "pipescope schedule show zb_h1.csv --format csv --comms\n"
    "pipescope schedule show 1f1b,zb1p,dualpipe --ranks 8 --microbatches 16 --format svg -o "
    "a.svg\n"
    "pipescope schedule show zb-auto --ranks 4 --microbatches 12 --memory-limit 6 --cost "
    "F=10,I=12,W=8,comm=1\n"
    "pipescope schedule show zb_h1.csv --cost costs.yaml --format json";

// Which order: its name and what it is made for.
void AddOrder(CLI::App& show, ShowOptions& options) {
  show.add_option("schedule", options.what,
                  "A name of `schedule list`, or PyTorch's CSV; several, with commas between, for "
                  "text or svg")
      ->required()
      ->type_name("NAME|FILE.csv,...");
  show.add_option("--ranks", options.ranks, "Pipeline ranks")->type_name("P");
  show.add_option("--microbatches", options.microbatches, "Micro-batches a step")->type_name("M");
  show.add_option("--chunks", options.chunks,
                  "Stages a rank holds, where a schedule leaves it open")
      ->type_name("V");
  show.add_option("--slices", options.slices,
                  "Parts a sequence is cut into (seq1f1b); costs are then of one part")
      ->type_name("K");
  show.add_option("--variant", options.variant,
                  "One of a schedule's orders, such as flex of interleaved-1f1b")
      ->type_name("NAME");
}

// Returns the option that gives costs.
CLI::Option* AddCosts(CLI::App& show, ShowOptions& options) {
  CLI::Option* cost =
      show.add_option("--cost", options.cost,
                      "Costs of one chunk, default F=1,I=1,W=1,B=I+W,FB=F+B,comm=0; or a JSON or "
                      "YAML file with those names, numbers or lists by stage")
          ->type_name("F=1,...|FILE");
  show.add_option("--memory-limit", options.memory_limit,
                  "Of every rank, in activations of one chunk: what zb-auto and zbv-auto are made "
                  "for; an error where another schedule holds more")
      ->type_name("X");
  return cost;
}

void AddShow(CLI::App& schedule, int& exit_code) {
  CLI::App* show = schedule.add_subcommand(
      "show", "The order and timing of one schedule, each action taking a fixed time");
  const auto options = std::make_shared<ShowOptions>();
  LeadWithExamples(*show, kShowExamples);
  AddOrder(*show, *options);
  CLI::Option* cost = AddCosts(*show, *options);
  show->add_option("--format", options->format,
                   "Default text; csv is PyTorch's compute-only CSV, svg a picture")
      ->check(CLI::IsMember({"text", "json", "csv", "svg"}))
      ->type_name("FORMAT");
  show->add_option("-o,--output", options->output, "Write there instead of to stdout")
      ->type_name("FILE");
  AddLowering(*show, *options);
  show->callback([options, cost, &exit_code] {
    options->cost_given = cost->count() > 0;
    exit_code = Show(*options);
  });
}

}  // namespace

void AddScheduleVerb(CLI::App& app, int& exit_code) {
  CLI::App* schedule = app.add_subcommand("schedule", "Pipeline schedules: orders and timing");
  LeadWithExamples(*schedule,
                   "pipescope schedule list\n"
                   "pipescope schedule show dualpipe --ranks 8 --microbatches 20\n"
                   "pipescope schedule check order.csv");
  schedule->require_subcommand(1);
  CLI::App* list = schedule->add_subcommand("list", "Every schedule: reference, constraints");
  LeadWithExamples(*list, "pipescope schedule list");
  list->callback(
      [&exit_code] { exit_code = Emit("", reports::FamiliesText(schedules::Families())); });
  AddShow(*schedule, exit_code);
  AddOptimizeVerb(*schedule, exit_code);
  CLI::App* check = schedule->add_subcommand(
      "check", "Whether the order in a CSV can run; exits 1 and explains where it cannot");
  LeadWithExamples(*check,
                   "pipescope schedule check order.csv\n"
                   "pipescope schedule check order.csv --memory-limit 8");
  const auto path = std::make_shared<std::string>();
  check->add_option("file", *path, "PyTorch's CSV, a row a rank, compute-only or lowered")
      ->required()
      ->type_name("FILE.csv");
  const auto limit = std::make_shared<std::optional<int64_t>>();
  check->add_option("--memory-limit", *limit, "The most activations of one chunk a rank may hold")
      ->check(CLI::Range(int64_t{1}, schedules::kMaxActions))
      ->type_name("X");
  check->callback([path, limit, &exit_code] { exit_code = Judge(*path, *limit); });
}

}  // namespace pipescope::cli
