// What the two CSVs, compute-only and lowered, share: rows, cells and their errors.
//
// A row is a rank, a cell a token or, where blank, nothing; blanks around tokens, CRLF, a byte
// order mark and trailing blank lines do not count. "file:2:1: cell 3: '1X0': expected ..." is an
// error of the third cell in line 2.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "schedules/limits.h"
#include "schedules/token.h"
#include "sim/base/result.h"

namespace pipescope::schedules {

std::string_view TrimCell(std::string_view text);

// Takes everything up to the separator, and the separator, off the front.
std::string_view TakeUntil(std::string_view& text, char separator);

std::string_view WithoutMarkAndTrailingBlank(std::string_view text);

template <class Item>
using ParseCell = Result<Item> (*)(std::string_view cell, Letters letters);

template <class Item>
Result<std::vector<Item>> ParseRow(std::string_view row, Letters letters, Location where,
                                   ParseCell<Item> parse) {
  std::vector<Item> items;
  while (!row.empty()) {
    ++where.column;
    const std::string_view cell = TrimCell(TakeUntil(row, ','));
    if (cell.empty()) continue;
    auto item = parse(cell, letters);
    if (!item) {
      return Fail(Error{fmt::format("cell {}: {}", where.column, item.error().message), where});
    }
    items.push_back(std::move(*item));
  }
  return items;
}

// At most kMaxRanks rows and `most` items; at least one item.
template <class Item>
Result<std::vector<std::vector<Item>>> ParseRows(std::string_view text, Letters letters,
                                                 const std::string& file, int64_t most,
                                                 ParseCell<Item> parse) {
  std::string_view rest = WithoutMarkAndTrailingBlank(text);
  if (rest.empty()) {
    return Fail(Error{"is empty; expected a row of actions for every rank", {file}});
  }
  std::vector<std::vector<Item>> rows;
  int64_t total = 0;
  for (int line = 1; !rest.empty(); ++line) {
    if (line > kMaxRanks) {
      return Fail(Error{fmt::format("has more than {} rows (one a rank)", kMaxRanks), {file}});
    }
    auto row = ParseRow<Item>(TakeUntil(rest, '\n'), letters, {file, line, 0}, parse);
    if (!row) return Fail(row.error());
    total += static_cast<int64_t>(row->size());
    if (total > most) return Fail(Error{fmt::format("has more than {} actions", most), {file}});
    rows.push_back(std::move(*row));
  }
  if (total == 0) return Fail(Error{"has no actions, only empty cells", {file}});
  return rows;
}

// A BW says so at once.
inline bool SaysBw(std::string_view text) { return text.find("BW") != text.npos; }

// True where the letters can only be the old ones although no BW says so; see csv.h.
bool HasOldLetters(const Schedule& schedule);

// Ranks, and the largest stage and micro-batch plus one.
void CountStages(Schedule& schedule);

}  // namespace pipescope::schedules
