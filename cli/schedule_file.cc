#include "cli/schedule_file.h"

#include <fmt/format.h>

#include "cli/verb.h"
#include "schedules/check.h"
#include "schedules/flow.h"
#include "schedules/lowered_check.h"
#include "schedules/lowered_csv.h"

namespace pipescope::cli {
namespace {

constexpr const char* kOldLetters = "old letters: B read as the input gradient, BW as B";

schedules::LoweredVerdict Judge(const schedules::CsvLowered& csv) {
  if (csv.has_communication) return CheckLowered(csv.lowered);
  return {Check(WithoutCommunication(csv.lowered)), {}};
}

}  // namespace

Result<ScheduleFile> ReadScheduleFile(const std::string& path) {
  auto csv = schedules::ReadLoweredCsv(path);
  if (!csv) return Fail(csv.error());
  const auto findings = Judge(*csv).findings;
  if (!findings.empty()) return Fail(Error{ToString(findings.front()), {path}});
  ScheduleFile file{WithoutCommunication(csv->lowered), csv->old_letters ? kOldLetters : ""};
  if (csv->has_communication) {
    if (!file.note.empty()) file.note += "; ";
    file.note += "a lowered order: its communication is sound and plays no part in the timing";
  }
  return file;
}

int CheckScheduleFile(const std::string& path) {
  const auto csv = schedules::ReadLoweredCsv(path);
  if (!csv) return Complain(csv.error());
  const auto [findings, steps] = Judge(*csv);
  std::string text;
  if (csv->old_letters) text += fmt::format("{}: {}\n", path, kOldLetters);
  for (const schedules::Finding& finding : findings) {
    text += fmt::format("{}: {}\n", path, ToString(finding));
  }
  if (findings.empty()) {
    text += fmt::format("{}: sound: {} ranks, {} stages, {} micro-batches{}\n", path,
                        csv->lowered.ranks, csv->lowered.stages, csv->lowered.microbatches,
                        steps ? fmt::format("; lowered, {} unit steps", *steps) : "");
  } else if (findings.size() >= schedules::kMostFindings) {
    text += fmt::format("{}: at most {} findings are shown\n", path, schedules::kMostFindings);
  }
  const int emitted = Emit("", text);
  return emitted != kOk ? emitted : findings.empty() ? kOk : kCheckFailed;
}

}  // namespace pipescope::cli
