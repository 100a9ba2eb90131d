// Tokens of the lowered IR and PyTorch's CSV of compute and communication: a row a rank, a token a
// cell, in the order the rank issues them.
//
//   0F0,0SEND_F0,0RECV_B0,0B0        rank 0
//   1RECV_F0,1F0,1B0,1SEND_B0        rank 1
//
// A token is [stage][NAME][micro-batch]; UNSHARD, RESHARD and REDUCE_GRAD have no micro-batch. What
// csv.h says of blanks and of old letters holds here as well. A compute-only CSV is read, too: a
// lowered schedule that has no communication yet.
#pragma once

#include <string>
#include <string_view>

#include "schedules/lowered.h"
#include "schedules/token.h"
#include "sim/base/result.h"

namespace pipescope::schedules {

Result<LoweredAction> ParseLoweredToken(std::string_view text, Letters letters = Letters::kCurrent);
std::string ToToken(const Communication& communication);
std::string ToToken(const LoweredAction& action);

struct CsvLowered {
  LoweredSchedule lowered;  // stages and micro-batches are the largest computed, plus one
  bool old_letters = false;
  bool has_communication = false;
};

// Fails with file:line:cell. The order itself is not judged: see CheckLowered.
Result<CsvLowered> ParseLoweredCsv(const std::string& text, const std::string& file);
Result<CsvLowered> ReadLoweredCsv(const std::string& path);

std::string ToCsv(const LoweredSchedule& lowered);

}  // namespace pipescope::schedules
