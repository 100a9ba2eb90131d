// Orders read from PyTorch's CSVs, compute-only or lowered, wherever a schedule is asked for.
//
// The communication of a lowered one is judged and then dropped: timing places messages itself.
//
//   0F0,0SEND_F0,0RECV_B0,0B0        is rank 0 of the schedule  0F0,0B0
//   1RECV_F0,1F0,1B0,1SEND_B0        and rank 1 of it           1F0,1B0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "schedules/finding.h"
#include "schedules/schedule.h"
#include "sim/base/result.h"

namespace pipescope::schedules {

inline constexpr const char* kOldLettersNote = "old letters: B read as the input gradient, BW as B";

struct JudgedFile {
  Schedule schedule;              // without communication
  std::vector<Finding> findings;  // empty where it can run
  std::optional<int64_t> steps;   // of a lowered one: see lowered_check.h
  bool old_letters = false;
  bool lowered = false;

  // How it was read where that is worth a word, else "".
  std::string Note() const;
};

// Fails where the file cannot be read or a token is none.
Result<JudgedFile> JudgeScheduleFile(const std::string& path);

struct ScheduleFile {
  Schedule schedule;
  std::string note;
};

// Fails with the first finding, too.
Result<ScheduleFile> ReadScheduleFile(const std::string& path);

}  // namespace pipescope::schedules
