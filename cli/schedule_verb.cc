#include "cli/schedule_verb.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "cli/examples.h"
#include "cli/optimize_verb.h"
#include "cli/verb.h"
#include "reports/schedule_json.h"
#include "reports/schedule_text.h"
#include "schedules/check.h"
#include "schedules/csv.h"
#include "schedules/evaluate.h"
#include "schedules/flow.h"
#include "schedules/registry.h"
#include "schedules/token.h"

namespace pipescope::cli {
namespace {

struct ShowOptions {
  std::string what;  // a schedule's name or a file
  std::optional<int64_t> ranks, microbatches, chunks, slices;
  std::string variant;
  std::string cost;
  bool cost_given = false;
  std::string format = "text";
  std::string output;
};

struct Shown {
  schedules::Schedule schedule;
  const schedules::Family* family = nullptr;
  std::string note;
  schedules::Options options = {};
};

bool IsFile(const std::string& what) {
  return what.ends_with(".csv") || what.find('/') != std::string::npos;
}

// What a file holds cannot be chosen, but it may be said again.
Status CheckSaid(const char* option, const std::optional<int64_t>& said, int64_t held,
                 const std::string& file) {
  if (!said || *said == held) return {};
  return Fail(Error{fmt::format("{} {}: the file holds {}", option, *said, held), {file}});
}

int StagesOfRank(const std::vector<schedules::Action>& actions) {
  std::vector<int> stages;
  for (const schedules::Action& action : actions) stages.push_back(action.stage.value());
  std::sort(stages.begin(), stages.end());
  return static_cast<int>(std::unique(stages.begin(), stages.end()) - stages.begin());
}

Result<Shown> FromFile(const ShowOptions& options) {
  auto csv = schedules::ReadCsv(options.what);
  if (!csv) return Fail(csv.error());
  if (options.slices || !options.variant.empty()) {
    return Fail(
        Error{"--slices and --variant choose an order; a file holds its own", {options.what}});
  }
  Shown shown{std::move(csv->schedule), nullptr,
              csv->old_letters ? "old letters: B read as the input gradient, BW as B" : ""};
  const auto findings = Check(shown.schedule);
  if (!findings.empty()) return Fail(Error{ToString(findings.front()), {options.what}});
  const std::string& file = options.what;
  const int chunks = StagesOfRank(shown.schedule.actions.front());
  for (const Status& ok :
       {CheckSaid("--ranks", options.ranks, shown.schedule.ranks, file),
        CheckSaid("--microbatches", options.microbatches, shown.schedule.microbatches, file),
        CheckSaid("--chunks", options.chunks, chunks, file)}) {
    if (!ok) return Fail(ok.error());
  }
  return shown;
}

Result<Shown> FromFamily(const ShowOptions& options) {
  auto family = schedules::FindFamily(options.what);
  if (!family) {
    return Fail(family.error().message + " (a file's name ends in .csv or holds a /)");
  }
  if (!options.ranks) return Fail("--ranks is missing: the number of pipeline ranks");
  if (!options.microbatches) return Fail("--microbatches is missing: the number of a step");
  const schedules::Options chosen{*options.ranks, *options.microbatches, options.chunks,
                                  options.slices, options.variant};
  auto schedule = Generate(**family, chosen);
  if (!schedule) return Fail(schedule.error());
  return Shown{std::move(*schedule), *family, "", chosen};
}

std::string Quoted(const std::string& word) {
  if (word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                             "_-./=,:+") == word.npos) {
    return word;
  }
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string Reproduce(const ShowOptions& options) {
  std::string text = "pipescope schedule show " + Quoted(options.what);
  if (options.ranks) text += fmt::format(" --ranks {}", *options.ranks);
  if (options.microbatches) text += fmt::format(" --microbatches {}", *options.microbatches);
  if (options.chunks) text += fmt::format(" --chunks {}", *options.chunks);
  if (options.slices) text += fmt::format(" --slices {}", *options.slices);
  if (!options.variant.empty()) text += " --variant " + Quoted(options.variant);
  if (options.cost_given) text += " --cost " + Quoted(options.cost);
  return text;
}

Result<std::string> Render(const ShowOptions& options) {
  schedules::Costs costs;
  if (options.cost_given) {
    auto read = schedules::ReadCosts(options.cost);
    if (!read) return Fail(read.error());
    costs = std::move(*read);
  }
  auto shown = IsFile(options.what) ? FromFile(options) : FromFamily(options);
  if (!shown) return Fail(shown.error());
  if (auto ok = CheckCosts(costs, shown->schedule.stages); !ok) return Fail(ok.error());
  if (options.format == "csv") return schedules::ToCsv(shown->schedule);
  auto prepared = schedules::Prepare(shown->schedule);
  if (!prepared) return Fail(prepared.error());
  const schedules::Timing timing = Evaluate(*prepared, costs);
  if (options.format == "json") {
    return reports::ScheduleJson(shown->schedule, *prepared, costs, timing);
  }
  return reports::ScheduleText({.schedule = shown->schedule,
                                .prepared = *prepared,
                                .costs = costs,
                                .timing = timing,
                                .family = shown->family,
                                .options = shown->options,
                                .source = options.what,
                                .note = shown->note,
                                .reproduce = Reproduce(options)});
}

int Show(const ShowOptions& options) {
  auto text = Render(options);
  return text ? Emit(options.output, *text) : Complain(text.error());
}

int CheckFile(const std::string& path) {
  auto csv = schedules::ReadCsv(path);
  if (!csv) return Complain(csv.error());
  const schedules::Schedule& schedule = csv->schedule;
  const auto findings = Check(schedule);
  std::string text;
  if (csv->old_letters) {
    text += fmt::format("{}: old letters: B read as the input gradient, BW as B\n", path);
  }
  for (const schedules::Finding& finding : findings) {
    text += fmt::format("{}: {}\n", path, ToString(finding));
  }
  if (findings.empty()) {
    text += fmt::format("{}: sound: {} ranks, {} stages, {} micro-batches\n", path, schedule.ranks,
                        schedule.stages, schedule.microbatches);
  } else if (findings.size() >= schedules::kMostFindings) {
    text += fmt::format("{}: at most {} findings are shown\n", path, schedules::kMostFindings);
  }
  const int emitted = Emit("", text);
  return emitted != kOk ? emitted : findings.empty() ? kOk : kCheckFailed;
}

void AddShow(CLI::App& schedule, int& exit_code) {
  CLI::App* show = schedule.add_subcommand(
      "show", "The order and timing of one schedule, each action taking a fixed time");
  const auto options = std::make_shared<ShowOptions>();
  LeadWithExamples(
      *show,
      "pipescope schedule show 1f1b --ranks 4 --microbatches 8\n"
      "pipescope schedule show dualpipe --ranks 8 --microbatches 20 --cost F=1,I=1,W=1,FB=2.5\n"
      "pipescope schedule show interleaved-1f1b --ranks 4 --microbatches 8 --chunks 3\n"
      "pipescope schedule show zb-h1 --ranks 4 --microbatches 8 --format csv -o zb_h1.csv\n"
      "pipescope schedule show zb_h1.csv --cost costs.yaml --format json");
  show->add_option("schedule", options->what, "A name of `schedule list`, or PyTorch's CSV")
      ->required()
      ->type_name("NAME|FILE.csv");
  show->add_option("--ranks", options->ranks, "Pipeline ranks")->type_name("P");
  show->add_option("--microbatches", options->microbatches, "Micro-batches a step")->type_name("M");
  show->add_option("--chunks", options->chunks,
                   "Stages a rank holds, where a schedule leaves it open")
      ->type_name("V");
  show->add_option("--slices", options->slices,
                   "Parts a sequence is cut into (seq1f1b); costs are then of one part")
      ->type_name("K");
  show->add_option("--variant", options->variant,
                   "One of a schedule's orders, such as flex of interleaved-1f1b")
      ->type_name("NAME");
  CLI::Option* cost =
      show->add_option("--cost", options->cost,
                       "Costs of one chunk, default F=1,I=1,W=1,B=I+W,FB=F+B,comm=0; or a JSON or "
                       "YAML file with those names, numbers or lists by stage")
          ->type_name("F=1,...|FILE");
  show->add_option("--format", options->format, "Default text; csv is PyTorch's compute-only CSV")
      ->check(CLI::IsMember({"text", "json", "csv"}))
      ->type_name("FORMAT");
  show->add_option("-o,--output", options->output, "Write there instead of to stdout")
      ->type_name("FILE");
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
  LeadWithExamples(*check, "pipescope schedule check order.csv");
  const auto path = std::make_shared<std::string>();
  check->add_option("file", *path, "PyTorch's compute-only CSV, a row a rank")
      ->required()
      ->type_name("FILE.csv");
  check->callback([path, &exit_code] { exit_code = CheckFile(*path); });
}

}  // namespace pipescope::cli
