#include "schedules/schedule_file.h"

#include <utility>

#include "schedules/check.h"
#include "schedules/lowered_check.h"
#include "schedules/lowered_csv.h"

namespace pipescope::schedules {

std::string JudgedFile::Note() const {
  std::string note;
  if (old_letters) note = kOldLettersNote;
  if (lowered) {
    if (!note.empty()) note += "; ";
    note += "a lowered order: its communication is sound and plays no part in the timing";
  }
  return note;
}

Result<JudgedFile> JudgeScheduleFile(const std::string& path) {
  auto csv = ReadLoweredCsv(path);
  if (!csv) return Fail(csv.error());
  JudgedFile file{.schedule = WithoutCommunication(csv->lowered),
                  .findings = {},
                  .steps = {},
                  .old_letters = csv->old_letters,
                  .lowered = csv->has_communication};
  if (file.lowered) {
    LoweredVerdict verdict = CheckLowered(csv->lowered);
    file.findings = std::move(verdict.findings);
    file.steps = verdict.steps;
  } else {
    file.findings = Check(file.schedule);
  }
  return file;
}

Result<ScheduleFile> ReadScheduleFile(const std::string& path) {
  auto file = JudgeScheduleFile(path);
  if (!file) return Fail(file.error());
  if (!file->findings.empty()) return Fail(Error{InOneLine(file->findings.front()), {path}});
  std::string note = file->Note();
  return ScheduleFile{std::move(file->schedule), std::move(note)};
}

}  // namespace pipescope::schedules
