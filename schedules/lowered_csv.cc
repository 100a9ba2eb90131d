#include "schedules/lowered_csv.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "schedules/csv_rows.h"
#include "schedules/limits.h"
#include "sim/base/file.h"

namespace pipescope::schedules {
namespace {

struct Name {
  CommunicationKind kind;
  std::string_view text;
};

// By kind.
constexpr std::array<Name, 7> kNames = {{{CommunicationKind::kSendForward, "SEND_F"},
                                         {CommunicationKind::kReceiveForward, "RECV_F"},
                                         {CommunicationKind::kSendBackward, "SEND_B"},
                                         {CommunicationKind::kReceiveBackward, "RECV_B"},
                                         {CommunicationKind::kUnshard, "UNSHARD"},
                                         {CommunicationKind::kReshard, "RESHARD"},
                                         {CommunicationKind::kReduceGrad, "REDUCE_GRAD"}}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The whole text as a number up to `most`.
std::optional<int32_t> Number(std::string_view text, int64_t most) {
  int64_t number = 0;
  if (text.empty() || !IsDigit(text.front())) return {};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size() || number > most) return {};
  return static_cast<int32_t>(number);
}

tl::unexpected<Error> Bad(std::string_view text, const std::string& expected) {
  constexpr size_t kMostQuoted = 60;
  const bool cut = text.size() > kMostQuoted;
  return Fail(fmt::format("'{}{}': {}", text.substr(0, kMostQuoted), cut ? "..." : "", expected));
}

// `text` is made of digits, then a communication's name, then `tail`.
Result<LoweredAction> ParseCommunication(std::string_view text, std::string_view stage,
                                         const Name& name, std::string_view tail) {
  const auto number = Number(stage, kMaxStages - 1);
  if (!number) {
    return Bad(text, fmt::format("expected a stage from 0 to {} first", kMaxStages - 1));
  }
  Communication communication{name.kind, StageId(*number), {}};
  if (!IsMessage(communication)) {
    if (!tail.empty()) return Bad(text, fmt::format("expected nothing after {}", name.text));
    return communication;
  }
  const auto microbatch = Number(tail, kMaxMicrobatches - 1);
  if (!microbatch) {
    return Bad(text, fmt::format("expected a micro-batch from 0 to {} after {}, and nothing more",
                                 kMaxMicrobatches - 1, name.text));
  }
  communication.microbatch = MicrobatchId(*microbatch);
  return communication;
}

}  // namespace

Result<LoweredAction> ParseLoweredToken(std::string_view text, Letters letters) {
  size_t digits = 0;
  while (digits < text.size() && IsDigit(text[digits])) ++digits;
  const std::string_view rest = text.substr(digits);
  size_t letter = 0;
  while (letter < rest.size() && !IsDigit(rest[letter])) ++letter;
  for (const Name& name : kNames) {
    if (rest.substr(0, letter) != name.text) continue;
    return ParseCommunication(text, text.substr(0, digits), name, rest.substr(letter));
  }
  auto action = ParseToken(text, letters);
  if (!action) return Fail(action.error());
  return LoweredAction(*action);
}

std::string ToToken(const Communication& communication) {
  const std::string_view name = kNames[static_cast<size_t>(communication.kind)].text;
  if (!IsMessage(communication)) return fmt::format("{}{}", communication.stage.value(), name);
  return fmt::format("{}{}{}", communication.stage.value(), name, communication.microbatch.value());
}

std::string ToToken(const LoweredAction& action) {
  return std::visit([](const auto& alternative) { return ToToken(alternative); }, action);
}

Result<CsvLowered> ParseLoweredCsv(const std::string& text, const std::string& file) {
  CsvLowered csv;
  csv.old_letters = SaysBw(text);
  LoweredSchedule& lowered = csv.lowered;
  Schedule compute;
  while (true) {
    const Letters letters = csv.old_letters ? Letters::kOld : Letters::kCurrent;
    auto rows = ParseRows<LoweredAction>(text, letters, file, kMaxActions, ParseLoweredToken);
    if (!rows) return Fail(rows.error());
    lowered.actions = std::move(*rows);
    compute = WithoutCommunication(lowered);
    if (csv.old_letters || !HasOldLetters(compute)) break;
    csv.old_letters = true;
  }
  CountStages(compute);
  lowered.name = "csv";
  lowered.ranks = compute.ranks;
  lowered.stages = compute.stages;
  lowered.microbatches = compute.microbatches;
  for (size_t r = 0; r < lowered.actions.size(); ++r) {
    csv.has_communication |= compute.actions[r].size() < lowered.actions[r].size();
  }
  return csv;
}

Result<CsvLowered> ReadLoweredCsv(const std::string& path) {
  auto text = ReadFile(path, kMaxCsvBytes);
  if (!text) return Fail(text.error());
  return ParseLoweredCsv(*text, path);
}

std::string ToCsv(const LoweredSchedule& lowered) {
  std::string text;
  for (const auto& rank : lowered.actions) {
    for (size_t i = 0; i < rank.size(); ++i) {
      if (i > 0) text += ',';
      text += ToToken(rank[i]);
    }
    text += '\n';
  }
  return text;
}

}  // namespace pipescope::schedules
