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

Result<Shown> FromFamily(const ShowOptions& options, const schedules::Costs& costs) {
  auto family = schedules::FindFamily(options.what);
  if (!family) {
    return Fail(family.error().message + " (a file's name ends in .csv or holds a /)");
  }
  if (!options.ranks) return Fail("--ranks is missing: the number of pipeline ranks");
  if (!options.microbatches) return Fail("--microbatches is missing: the number of a step");
  schedules::Options chosen{*options.ranks, *options.microbatches, options.chunks, options.slices,
                            options.variant};
  if ((*family)->automatic) {
    chosen.profile = schedules::Profile{.costs = costs};
    if (options.memory_limit) chosen.profile->limit = {*options.memory_limit};
  }
  auto schedule = Generate(**family, chosen);
  if (!schedule) return Fail(schedule.error());
  std::string note;
  if ((*family)->automatic) {
    note = fmt::format(
        "made for the costs below and a memory limit of {}, in activations of one "
        "chunk; I and W each free half",
        options.memory_limit ? fmt::format("{:g}", *options.memory_limit)
                             : fmt::format("{} (the default)", *options.ranks * (*family)->chunks));
  }
  return Shown{std::move(*schedule), *family, note, chosen};
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
  if (options.memory_limit) text += fmt::format(" --memory-limit {}", *options.memory_limit);
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

// What is made with a limit keeps it; of what is not, it is asked.
Status CheckLimit(const Shown& shown, const std::optional<double>& limit) {
  if (!limit || (shown.family != nullptr && shown.family->automatic)) return {};
  auto prepared = schedules::Prepare(shown.schedule);
  if (!prepared) return Fail(prepared.error());
  const auto& peaks = prepared->peak_activations;
  const auto worst = std::max_element(peaks.begin(), peaks.end());
  if (*worst <= *limit) return {};
  return Fail(fmt::format("--memory-limit {:g}: rank {} of {} holds {} activations of one chunk",
                          *limit, worst - peaks.begin(), shown.schedule.name, *worst));
}

Result<Shown> Load(const ShowOptions& options, const schedules::Costs& costs) {
  auto shown = IsFile(options.what) ? FromFile(options) : FromFamily(options, costs);
  if (!shown) return shown;
  if (auto ok = CheckLimit(*shown, options.memory_limit); !ok) return Fail(ok.error());
  return shown;
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
    auto shown = Load(one, costs);
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
  auto shown = Load(options, costs);
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
