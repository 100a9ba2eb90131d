#include "schedules/token.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <iterator>
#include <optional>

#include "schedules/limits.h"

namespace pipescope::schedules {
namespace {

constexpr std::string_view kOverlapSuffix = "OVERLAP_F_B";
constexpr size_t kMostQuoted = 60;  // of a bad cell, in an error

tl::unexpected<Error> Bad(std::string_view text, std::string_view expected) {
  std::string shown;
  for (const char c : text.substr(0, kMostQuoted)) shown += c < ' ' || c == 127 ? '?' : c;
  if (text.size() > kMostQuoted) shown += "...";
  return Fail(fmt::format("'{}': {}", shown, expected));
}

// Takes a decimal number off the front; nothing where there is none or it exceeds `most`.
std::optional<int32_t> TakeNumber(std::string_view& text, int64_t most) {
  int64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  // from_chars would take a sign.
  if (code != std::errc() || text.front() == '-' || number > most) return {};
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return static_cast<int32_t>(number);
}

// Takes the letters off the front.
std::string_view TakeName(std::string_view& text) {
  size_t n = 0;
  while (n < text.size() && (text[n] == '_' || (text[n] >= 'A' && text[n] <= 'Z'))) ++n;
  const std::string_view name = text.substr(0, n);
  text.remove_prefix(n);
  return name;
}

bool IsCommunication(std::string_view name) {
  constexpr std::array<std::string_view, 7> kNames = {"SEND_F",  "RECV_F",  "SEND_B",     "RECV_B",
                                                      "UNSHARD", "RESHARD", "REDUCE_GRAD"};
  for (const std::string_view known : kNames) {
    if (name == known) return true;
  }
  return false;
}

// An empty string, or why the name is not an action's.
std::string_view KindOf(std::string_view name, Letters letters, ActionKind& kind) {
  const bool old = letters == Letters::kOld;
  if (name == "F") {
    kind = ActionKind::kForward;
  } else if (name == "W") {
    kind = ActionKind::kWeightGrad;
  } else if (name == "B") {
    kind = old ? ActionKind::kInputGrad : ActionKind::kBackward;
  } else if (name == "BW" && old) {
    kind = ActionKind::kBackward;
  } else if (name == "I" && !old) {
    kind = ActionKind::kInputGrad;
  } else if (name == "I") {
    return "the file has the old letter BW, so its input gradients must be B, not I";
  } else if (name == "BW") {
    return "BW is the old letter of the full backward; write B";
  } else if (IsCommunication(name)) {
    return "is communication; expected a compute-only order, which has F, I, W and B alone";
  } else {
    return "expected an action such as 3F0, 3I0, 3W0, 3B0 or (0F7;7B3)OVERLAP_F_B";
  }
  return "";
}

Result<Action> ParseSimple(std::string_view text, Letters letters) {
  constexpr std::string_view kExpected =
      "expected an action such as 3F0, 3I0, 3W0, 3B0 or (0F7;7B3)OVERLAP_F_B";
  std::string_view rest = text;
  if (rest.empty() || rest.front() < '0' || rest.front() > '9') return Bad(text, kExpected);
  const auto stage = TakeNumber(rest, kMaxStages - 1);
  if (!stage) {
    return Bad(text, fmt::format("expected a stage from 0 to {} first", kMaxStages - 1));
  }
  Action action;
  action.stage = StageId(*stage);
  const std::string_view why = KindOf(TakeName(rest), letters, action.kind);
  if (!why.empty()) return Bad(text, why);
  const auto microbatch = TakeNumber(rest, kMaxMicrobatches - 1);
  if (!microbatch || !rest.empty()) {
    return Bad(text, fmt::format("expected a micro-batch from 0 to {} after the letter, and "
                                 "nothing more",
                                 kMaxMicrobatches - 1));
  }
  action.microbatch = MicrobatchId(*microbatch);
  return action;
}

Result<Action> ParsePair(std::string_view text, Letters letters) {
  constexpr std::string_view kExpected =
      "expected a pair such as (0F7;7B3)OVERLAP_F_B: a forward, then a full backward";
  const size_t semicolon = text.find(';');
  const size_t close = text.find(')');
  if (semicolon == text.npos || close == text.npos || semicolon > close ||
      text.substr(close + 1) != kOverlapSuffix) {
    return Bad(text, kExpected);
  }
  const auto forward = ParseSimple(text.substr(1, semicolon - 1), letters);
  const auto backward = ParseSimple(text.substr(semicolon + 1, close - semicolon - 1), letters);
  if (!forward || !backward || forward->kind != ActionKind::kForward ||
      backward->kind != ActionKind::kBackward) {
    return Bad(text, kExpected);
  }
  return Action{ActionKind::kOverlapped, forward->stage, forward->microbatch, backward->stage,
                backward->microbatch};
}

char LetterOf(ActionKind kind) {
  switch (kind) {
    case ActionKind::kForward:
      return 'F';
    case ActionKind::kInputGrad:
      return 'I';
    case ActionKind::kWeightGrad:
      return 'W';
    case ActionKind::kBackward:
    case ActionKind::kOverlapped:
      return 'B';
  }
  return '?';
}

}  // namespace

Result<Action> ParseToken(std::string_view text, Letters letters) {
  if (!text.empty() && text.front() == '(') return ParsePair(text, letters);
  return ParseSimple(text, letters);
}

void AppendToken(const Action& action, std::string& text) {
  auto out = std::back_inserter(text);
  if (action.kind == ActionKind::kOverlapped) {
    fmt::format_to(out, "({}F{};{}B{}){}", action.stage.value(), action.microbatch.value(),
                   action.backward_stage.value(), action.backward_microbatch.value(),
                   kOverlapSuffix);
    return;
  }
  fmt::format_to(out, "{}{}{}", action.stage.value(), LetterOf(action.kind),
                 action.microbatch.value());
}

std::string ToToken(const Action& action) {
  std::string text;
  AppendToken(action, text);
  return text;
}

}  // namespace pipescope::schedules
