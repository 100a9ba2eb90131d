#include "cli/schedule_show.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "reports/schedule_json.h"
#include "reports/schedule_svg.h"
#include "reports/schedule_text.h"
#include "reports/schedule_timeline.h"
#include "schedules/csv.h"
#include "schedules/evaluate.h"
#include "schedules/lowered_csv.h"
#include "schedules/registry.h"
#include "schedules/schedule_file.h"
#include "schedules/token.h"

namespace pipescope::cli {
namespace {

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
  if (options.slices || !options.variant.empty()) {
    return Fail(
        Error{"--slices and --variant choose an order; a file holds its own", {options.what}});
  }
  auto file_read = schedules::ReadScheduleFile(options.what);
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

}  // namespace

Result<std::string> RenderSchedule(const ShowOptions& options) {
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
                                .options = shown->options,
                                .source = options.what,
                                .note = shown->note,
                                .reproduce = Reproduce(options)});
}

}  // namespace pipescope::cli
