// PyTorch's compute-only CSV: a row a rank, a token a cell, in the order the rank runs them.
//
//   0F0,0F1,,0B0,0B1          rank 0; the empty cell is an idle slot and carries no meaning here
//   ,1F0,1B0,1F1,1B1          rank 1
//
// Written files have no empty cells and end every row with a newline. Read files may have empty
// cells, blanks around tokens, CRLF and a byte order mark; trailing blank lines are dropped.
//
// Old letters. Older files say B for the input gradient and BW for the full backward. A file is
// read so when it has a BW, or when it has W's and no I at all and its B's are exactly its W's
// (stage and micro-batch): with today's letters each of those W's would lack its I, so there is no
// second reading. Everything else is read with today's letters.
#pragma once

#include <string>

#include "schedules/schedule.h"
#include "sim/base/result.h"

namespace pipescope::schedules {

struct CsvSchedule {
  Schedule schedule;  // its name is "csv"; stages and micro-batches are the largest seen, plus one
  bool old_letters = false;
};

// Fails with file:line:cell. `file` is for errors only. The order itself is not judged: see Check.
Result<CsvSchedule> ParseCsv(const std::string& text, const std::string& file);

std::string ToCsv(const Schedule& schedule);

}  // namespace pipescope::schedules
