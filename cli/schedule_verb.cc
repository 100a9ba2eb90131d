#include "cli/schedule_verb.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "cli/examples.h"
#include "cli/schedule_file.h"
#include "cli/verb.h"
#include "reports/schedule_json.h"
#include "reports/schedule_svg.h"
#include "reports/schedule_text.h"
#include "reports/schedule_timeline.h"
#include "schedules/csv.h"
#include "schedules/evaluate.h"
#include "schedules/lowered.h"
#include "schedules/lowered_csv.h"
#include "schedules/registry.h"
#include "schedules/token.h"

namespace pipescope::cli {
namespace {

struct ShowOptions {
  std::string what;  // a schedule's name or a file
  std::optional<int64_t> ranks, microbatches, chunks;
  std::string cost;
  bool cost_given = false;
  std::string format = "text";
  std::string output;
  bool comms = false, merge = false;
  schedules::Lowering lowering;
};

struct Shown {
  schedules::Schedule schedule;
  const schedules::Family* family = nullptr;
  std::string note;
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
  auto file_read = ReadScheduleFile(options.what);
  if (!file_read) return Fail(file_read.error());
  Shown shown{std::move(file_read->schedule), nullptr, file_read->note};
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
  auto schedule = Generate(**family, {*options.ranks, *options.microbatches, options.chunks});
  if (!schedule) return Fail(schedule.error());
  return Shown{std::move(*schedule), *family, ""};
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
  if (options.cost_given) text += " --cost " + Quoted(options.cost);
  return text;
}

// At commas, unless there is a file of just that name.
std::vector<std::string> Split(const std::string& what) {
  std::error_code ignored;
  if (what.find(',') == what.npos || std::filesystem::exists(what, ignored)) return {what};
  std::vector<std::string> all;
  for (size_t begin = 0; begin <= what.size();) {
    const size_t end = std::min(what.find(',', begin), what.size());
    all.push_back(what.substr(begin, end - begin));
    begin = end + 1;
  }
  return all;
}

Result<std::string> Csv(schedules::Schedule schedule, const ShowOptions& options) {
  if (options.merge) schedule = MergeBackwards(std::move(schedule));
  if (!options.comms) return schedules::ToCsv(schedule);
  const auto lowered = schedules::Lower(schedule, options.lowering);
  if (!lowered) return Fail(lowered.error());
  return schedules::ToCsv(*lowered);
}

Result<Shown> Load(const ShowOptions& options) {
  return IsFile(options.what) ? FromFile(options) : FromFamily(options);
}

// Several schedules, or a picture of any number.
Result<std::string> RenderTogether(const ShowOptions& options, const std::vector<std::string>& all,
                                   const schedules::Costs& costs) {
  if (all.size() > reports::kSvgPanels) {
    return Fail(fmt::format("{} schedules: expected at most {} in one picture", all.size(),
                            reports::kSvgPanels));
  }
  std::vector<reports::SchedulePanel> panels;
  for (const std::string& what : all) {
    ShowOptions one = options;
    one.what = what;
    auto shown = Load(one);
    if (!shown) return Fail(shown.error());
    if (auto ok = CheckCosts(costs, shown->schedule.stages); !ok) return Fail(ok.error());
    auto prepared = schedules::Prepare(shown->schedule);
    if (!prepared) return Fail(prepared.error());
    auto timing = Evaluate(*prepared, costs);
    panels.push_back({what, std::move(shown->schedule), std::move(*prepared), std::move(timing)});
  }
  const std::string assumptions = reports::CostsText(costs);
  if (options.format == "svg") {
    return reports::ScheduleSvg(panels, "Pipeline schedules: " + reports::PanelsSize(panels),
                                "costs " + assumptions);
  }
  return fmt::format(
      "schedules     {}\nsize          {}\ncosts         {}\n\n{}{}\nreproduce     {}\n",
      fmt::join(all, ", "), reports::PanelsSize(panels), assumptions,
      reports::TimelinesText(panels), reports::TimelineLegend(), Reproduce(options));
}

Result<std::string> Render(const ShowOptions& options) {
  schedules::Costs costs;
  if (options.cost_given) {
    auto read = schedules::ReadCosts(options.cost);
    if (!read) return Fail(read.error());
    costs = std::move(*read);
  }
  const std::vector<std::string> all = Split(options.what);
  if (all.size() > 1 && options.format != "text" && options.format != "svg") {
    return Fail(fmt::format("--format {} takes one schedule, not {}; text and svg take several",
                            options.format, all.size()));
  }
  if (all.size() > 1 || options.format == "svg") return RenderTogether(options, all, costs);
  auto shown = Load(options);
  if (!shown) return Fail(shown.error());
  if (auto ok = CheckCosts(costs, shown->schedule.stages); !ok) return Fail(ok.error());
  if (options.format == "csv") return Csv(std::move(shown->schedule), options);
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
                                .source = options.what,
                                .note = shown->note,
                                .reproduce = Reproduce(options)});
}

int Show(const ShowOptions& options) {
  if ((options.comms || options.merge) && options.format != "csv") {
    return Complain(Error{"--comms and --merge need --format csv"});
  }
  auto text = Render(options);
  return text ? Emit(options.output, *text) : Complain(text.error());
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

void AddShow(CLI::App& schedule, int& exit_code) {
  CLI::App* show = schedule.add_subcommand(
      "show", "The order and timing of one schedule, each action taking a fixed time");
  const auto options = std::make_shared<ShowOptions>();
  LeadWithExamples(
      *show,
      "pipescope schedule show 1f1b --ranks 4 --microbatches 8\n"
      "pipescope schedule show dualpipe --ranks 8 --microbatches 20 --cost F=1,I=1,W=1,FB=2.5\n"
      "pipescope schedule show zb-h1 --ranks 4 --microbatches 8 --format csv -o zb_h1.csv\n"
      "pipescope schedule show zb_h1.csv --format csv --comms\n"
      "pipescope schedule show 1f1b,zb1p,dualpipe --ranks 8 --microbatches 16 --format svg -o "
      "a.svg\n"
      "pipescope schedule show zb_h1.csv --cost costs.yaml --format json");
  show->add_option("schedule", options->what,
                   "A name of `schedule list`, or PyTorch's CSV; several, with commas between, for "
                   "text or svg")
      ->required()
      ->type_name("NAME|FILE.csv,...");
  show->add_option("--ranks", options->ranks, "Pipeline ranks")->type_name("P");
  show->add_option("--microbatches", options->microbatches, "Micro-batches a step")->type_name("M");
  show->add_option("--chunks", options->chunks, "Stages a rank holds")->type_name("V");
  CLI::Option* cost =
      show->add_option("--cost", options->cost,
                       "Costs of one chunk, default F=1,I=1,W=1,B=I+W,FB=F+B,comm=0; or a JSON or "
                       "YAML file with those names, numbers or lists by stage")
          ->type_name("F=1,...|FILE");
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
  CLI::App* check = schedule->add_subcommand(
      "check", "Whether the order in a CSV can run; exits 1 and explains where it cannot");
  LeadWithExamples(*check, "pipescope schedule check order.csv");
  const auto path = std::make_shared<std::string>();
  check->add_option("file", *path, "PyTorch's CSV, a row a rank, compute-only or lowered")
      ->required()
      ->type_name("FILE.csv");
  check->callback([path, &exit_code] { exit_code = CheckScheduleFile(*path); });
}

}  // namespace pipescope::cli
