#include "schedules/csv.h"

#include <algorithm>
#include <string_view>

#include "schedules/csv_rows.h"
#include "schedules/limits.h"
#include "schedules/token.h"

namespace pipescope::schedules {
namespace {

uint64_t Key(const Action& action) {
  return static_cast<uint64_t>(action.stage.value()) << 32 |
         static_cast<uint64_t>(action.microbatch.value());
}

void RenameBackwards(Schedule& schedule) {
  for (auto& rank : schedule.actions) {
    for (Action& action : rank) {
      if (action.kind == ActionKind::kBackward) action.kind = ActionKind::kInputGrad;
    }
  }
}

}  // namespace

std::string_view TrimCell(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// Takes everything up to the separator, and the separator, off the front.
std::string_view TakeUntil(std::string_view& text, char separator) {
  const size_t at = text.find(separator);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == text.npos ? text.size() : at + 1);
  return part;
}

std::string_view WithoutMarkAndTrailingBlank(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  const size_t last = text.find_last_not_of(" \t\r\n");
  return text.substr(0, last == text.npos ? 0 : last + 1);
}

bool HasOldLetters(const Schedule& schedule) {
  std::vector<uint64_t> backward, weight;
  for (const auto& rank : schedule.actions) {
    for (const Action& action : rank) {
      if (action.kind == ActionKind::kInputGrad || action.kind == ActionKind::kOverlapped) {
        return false;
      }
      if (action.kind == ActionKind::kBackward) backward.push_back(Key(action));
      if (action.kind == ActionKind::kWeightGrad) weight.push_back(Key(action));
    }
  }
  if (weight.empty() || weight.size() != backward.size()) return false;
  std::sort(backward.begin(), backward.end());
  std::sort(weight.begin(), weight.end());
  return backward == weight;
}

void CountStages(Schedule& schedule) {
  int32_t stage = -1, microbatch = -1;
  for (const auto& rank : schedule.actions) {
    for (const Action& action : rank) {
      stage = std::max({stage, action.stage.value(), action.backward_stage.value()});
      microbatch =
          std::max({microbatch, action.microbatch.value(), action.backward_microbatch.value()});
    }
  }
  schedule.ranks = static_cast<int>(schedule.actions.size());
  schedule.stages = stage + 1;
  schedule.microbatches = microbatch + 1;
}

Result<CsvSchedule> ParseCsv(const std::string& text, const std::string& file) {
  CsvSchedule csv;
  csv.schedule.name = "csv";
  csv.old_letters = SaysBw(text);
  const Letters letters = csv.old_letters ? Letters::kOld : Letters::kCurrent;
  auto rows = ParseRows<Action>(text, letters, file, kMaxActions, ParseToken);
  if (!rows) return Fail(rows.error());
  csv.schedule.actions = std::move(*rows);
  CountStages(csv.schedule);
  if (!csv.old_letters && HasOldLetters(csv.schedule)) {
    csv.old_letters = true;
    RenameBackwards(csv.schedule);
  }
  return csv;
}

std::string ToCsv(const Schedule& schedule) {
  std::string text;
  for (const auto& rank : schedule.actions) {
    for (size_t i = 0; i < rank.size(); ++i) {
      if (i > 0) text += ',';
      AppendToken(rank[i], text);
    }
    text += '\n';
  }
  return text;
}

}  // namespace pipescope::schedules
