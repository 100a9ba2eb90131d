#include "sim/trace/raw_event.h"

#include <charconv>
#include <cmath>

namespace pipescope::trace {
namespace {

// Up to 1e15.9 microseconds: times since 1970 until the year 2200, and their nanoseconds fit.
constexpr int64_t kMostStart = 7'000'000'000'000'000;
constexpr int64_t kMostLength = 1'000'000'000'000;

// Microseconds in decimal to whole nanoseconds; what is finer is dropped.
std::optional<int64_t> Nanoseconds(std::string_view text, int64_t most) {
  int64_t micro = 0;
  const char* const end = text.data() + text.size();
  auto [at, code] = std::from_chars(text.data(), end, micro);
  if (code != std::errc() || micro < 0 || micro > most || text.front() == '-') return {};
  int64_t nano = micro * 1000;
  if (at != end && *at == '.') {
    int64_t unit = 100;
    for (++at; at != end && *at >= '0' && *at <= '9'; ++at, unit /= 10) nano += unit * (*at - '0');
  }
  if (at == end) return nano;
  double value = 0;  // an exponent
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || !(value >= 0 && value <= static_cast<double>(most))) return {};
  return std::llround(value * 1000);
}

}  // namespace

std::optional<int64_t> RawEvent::Time(const char* key, int64_t most, const Scalar& value) {
  if (value.type == Scalar::Type::kNumber) {
    if (const auto nano = Nanoseconds(value.text, most)) return nano;
  }
  if (!wrong) {
    wrong = Error{"'" + std::string(value.text.substr(0, 40)) +
                      "': expected microseconds from 0 to " + std::to_string(most),
                  {},
                  key};
  }
  return {};
}

std::optional<int64_t> RawEvent::Whole(std::string_view key, int64_t most, const Scalar& value) {
  int64_t whole = 0;
  const char* const end = value.text.data() + value.text.size();
  const auto [at, code] = std::from_chars(value.text.data(), end, whole);
  const bool number = value.type == Scalar::Type::kNumber;
  if (number && code == std::errc() && at == end && whole >= 0 && whole <= most) return whole;
  if (!wrong) {
    wrong = Error{"'" + std::string(value.text.substr(0, 40)) +
                      "': expected a whole number from 0 to " + std::to_string(most),
                  {},
                  "args." + std::string(key)};
  }
  return {};
}

// Not strict: these say who took part, and -1 or text where nobody did.
std::optional<int64_t> RawEvent::Number(const Scalar& value) {
  int64_t whole = 0;
  const char* const end = value.text.data() + value.text.size();
  const auto [at, code] = std::from_chars(value.text.data(), end, whole);
  if (code != std::errc() || at != end || whole < 0) return {};
  return whole;
}

// Several calls that were made one, "coalesced", have no key of their own.
std::string RawEvent::CommonKey() const {
  const bool message = collective == "send" || collective == "recv";
  if (message && source_rank && target_rank) {
    return "p2p " + std::to_string(*source_rank) + ">" + std::to_string(*target_rank);
  }
  const bool told = !collective.empty() && !process_group.empty();
  if (message || !told || collective == "coalesced") return "";
  return process_group + " " + collective;
}

void RawEvent::Set(std::string_view key, const Scalar& value) {
  if (key == "ph") {
    phase = value.text;
  } else if (key == "cat") {
    category = value.text;
  } else if (key == "name") {
    name = value.text;
  } else if (key == "pid") {
    process = value.text;
  } else if (key == "tid") {
    thread = value.text;
  } else if (key == "ts") {
    start = Time("ts", kMostStart, value);
  } else if (key == "dur") {
    length = Time("dur", kMostLength, value);
  }
}

void RawEvent::SetArgument(std::string_view key, const Scalar& value) {
  constexpr int64_t kMostId = int64_t{1} << 53;
  if (key == "stream") {
    stream = Whole(key, kMostId, value);
  } else if (key == "device") {
    device = Whole(key, 1 << 20, value);
  } else if (key == "correlation") {
    correlation = Whole(key, kMostId, value);
  } else if (key == "bytes") {
    bytes = Whole(key, kMostId, value);
  } else if (key == "Collective name") {
    collective = value.text;
  } else if (key == "Process Group Name") {
    process_group = value.text;
  } else if (key == "Src Rank") {
    source_rank = Number(value);
  } else if (key == "Dst Rank") {
    target_rank = Number(value);
  }
}

void RawEvent::SetEntry(std::string_view key, size_t list, size_t index, const Scalar& value) {
  constexpr size_t kMostInputs = 16, kMostSizes = 8;  // what GEMMs have is two or three of two
  if (key != "Input Dims" || list >= kMostInputs || index >= kMostSizes) return;
  if (inputs.size() <= list) inputs.resize(list + 1);
  inputs[list].push_back(Number(value).value_or(0));
}

void RawEvent::SetEntry(std::string_view key, size_t index, const Scalar& value) {
  if (key == "Input type" && index == 0) input_type = value.text;
  if (index >= 3 || (key != "grid" && key != "block")) return;
  const auto size = Whole(key, int64_t{1} << 31, value);
  (key == "grid" ? grid : block)[index] = size.value_or(0);
}

}  // namespace pipescope::trace
