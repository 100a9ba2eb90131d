#include "sim/base/quantity.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>

namespace pipescope {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array kDurationUnits = {Unit{"ps", 1e-12}, Unit{"ns", 1e-9}, Unit{"us", 1e-6},
                                       Unit{"µs", 1e-6},  Unit{"ms", 1e-3}, Unit{"s", 1},
                                       Unit{"min", 60},   Unit{"h", 3600}};
constexpr std::array kByteUnits = {Unit{"B", 1},
                                   Unit{"kB", 1e3},
                                   Unit{"KB", 1e3},
                                   Unit{"MB", 1e6},
                                   Unit{"GB", 1e9},
                                   Unit{"TB", 1e12},
                                   Unit{"KiB", 1024},
                                   Unit{"MiB", 1048576},
                                   Unit{"GiB", 1073741824},
                                   Unit{"TiB", 1099511627776}};
constexpr std::array kBandwidthUnits = {
    Unit{"B/s", 1},     Unit{"kB/s", 1e3},      Unit{"MB/s", 1e6},         Unit{"GB/s", 1e9},
    Unit{"TB/s", 1e12}, Unit{"MiB/s", 1048576}, Unit{"GiB/s", 1073741824}, Unit{"bps", 0.125},
    Unit{"kbps", 125},  Unit{"Mbps", 1.25e5},   Unit{"Gbps", 1.25e8},      Unit{"Tbps", 1.25e11}};
constexpr std::array kFlopRateUnits = {Unit{"GFLOPS", 1e9}, Unit{"TFLOPS", 1e12},
                                       Unit{"PFLOPS", 1e15}};

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// The quantity in base units, at least 0 and at most `limit`.
Result<double> ParseWithUnit(std::string_view text, std::span<const Unit> units, double limit,
                             const char* expected) {
  const std::string failure = fmt::format("'{}': expected a {}", text.substr(0, 80), expected);
  text = Trim(text);
  double number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || !std::isfinite(number)) return Fail(failure);
  const std::string_view name = Trim(text.substr(static_cast<size_t>(end - text.data())));
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    const double value = number * unit.factor;
    if (value < 0) return Fail(failure + ", not below zero");
    if (value > limit) return Fail(failure + ", not as large");
    return value;
  }
  return Fail(failure);
}

std::string Scaled(double value, std::span<const Unit> units) {
  const Unit* best = &units.front();
  for (const Unit& unit : units) {
    if (std::abs(value) >= unit.factor * 0.99995) best = &unit;
  }
  const double shown = value / best->factor;
  const double size = std::abs(shown);
  // Thresholds a little early: 9.9996 rounds to 10.00, not to 10.000.
  const int decimals = size >= 999.95 ? 0 : size >= 99.995 ? 1 : size >= 9.9995 ? 2 : 3;
  return fmt::format("{:.{}f} {}", shown, decimals, best->name);
}

// The number with its suffix, or nothing. A power of ten is put into the text as an exponent, so
// that 1.001k is 1001 and not the double below it.
std::optional<double> Suffixed(std::string_view digits, double number, std::string_view suffix) {
  constexpr std::string_view kSuffixes = "kMGT";
  const size_t power = kSuffixes.find(suffix.front() == 'K' ? 'k' : suffix.front());
  if (power == kSuffixes.npos || digits.find_first_of("eEnN") != digits.npos) return {};
  const int thousands = static_cast<int>(power) + 1;
  if (suffix.substr(1) == "i") return std::ldexp(number, 10 * thousands);
  if (suffix.size() > 1) return {};
  const std::string scaled = fmt::format("{}e{}", digits, 3 * thousands);
  const auto [end, code] = std::from_chars(scaled.data(), scaled.data() + scaled.size(), number);
  if (code != std::errc() || end != scaled.data() + scaled.size()) return {};
  return number;
}

}  // namespace

Result<double> ParseNumber(std::string_view text) {
  const Error error{fmt::format("'{}': expected a number", text.substr(0, 80))};
  const std::string_view all = Trim(text);
  double number = 0;
  const auto [end, code] = std::from_chars(all.data(), all.data() + all.size(), number);
  if (all.empty() || code != std::errc()) return Fail(error);
  const auto digits = static_cast<size_t>(end - all.data());
  if (const std::string_view suffix = Trim(all.substr(digits)); !suffix.empty()) {
    const auto scaled = Suffixed(all.substr(0, digits), number, suffix);
    if (!scaled) return Fail(error);
    number = *scaled;
  }
  if (!std::isfinite(number)) return Fail(error);
  return number;
}

Result<Duration> ParseDuration(std::string_view text) {
  auto s = ParseWithUnit(text, kDurationUnits, 1e6,
                         "duration with its unit, such as '3.7 us' or '1.5 ms'");
  if (!s) return Fail(s.error());
  return Seconds(*s);
}

Result<Bytes> ParseBytes(std::string_view text) {
  auto bytes = ParseWithUnit(text, kByteUnits, 1e18, "size with its unit, such as '80 GiB'");
  if (!bytes) return Fail(bytes.error());
  return RoundBytes(*bytes);
}

Result<Bandwidth> ParseBandwidth(std::string_view text) {
  auto rate = ParseWithUnit(text, kBandwidthUnits, 1e18,
                            "bandwidth with its unit, such as '400 Gbps' or '50 GB/s'");
  if (!rate) return Fail(rate.error());
  return Bandwidth(*rate);
}

Result<FlopRate> ParseFlopRate(std::string_view text) {
  auto rate = ParseWithUnit(text, kFlopRateUnits, 1e21,
                            "rate of floating-point operations with its unit, such as "
                            "'989.4 TFLOPS'");
  if (!rate) return Fail(rate.error());
  return FlopRate(*rate);
}

std::string Format(Duration value) {
  constexpr std::array kUnits = {Unit{"ps", 1e-12}, Unit{"ns", 1e-9}, Unit{"us", 1e-6},
                                 Unit{"ms", 1e-3}, Unit{"s", 1}};
  if (value == Duration()) return "0 s";
  return Scaled(value.seconds(), kUnits);
}

std::string Format(Bytes value) {
  constexpr std::array kUnits = {Unit{"B", 1}, Unit{"kB", 1e3}, Unit{"MB", 1e6}, Unit{"GB", 1e9},
                                 Unit{"TB", 1e12}};
  if (std::abs(value.value()) < 1000) return fmt::format("{} B", value.value());
  return Scaled(static_cast<double>(value.value()), kUnits);
}

std::string Format(Bandwidth value) {
  constexpr std::array kUnits = {Unit{"B/s", 1}, Unit{"MB/s", 1e6}, Unit{"GB/s", 1e9},
                                 Unit{"TB/s", 1e12}};
  return Scaled(value.value(), kUnits);
}

std::string Format(FlopRate value) {
  constexpr std::array kUnits = {Unit{"FLOPS", 1}, Unit{"GFLOPS", 1e9}, Unit{"TFLOPS", 1e12},
                                 Unit{"PFLOPS", 1e15}};
  return Scaled(value.value(), kUnits);
}

std::string FormatGiB(Bytes value) {
  return fmt::format("{:.2f} GiB", static_cast<double>(value.value()) / 1073741824.0);
}

std::string FormatCount(double value) {
  constexpr std::array kUnits = {Unit{"", 1},    Unit{"k", 1e3},  Unit{"M", 1e6},
                                 Unit{"G", 1e9}, Unit{"T", 1e12}, Unit{"P", 1e15}};
  if (std::abs(value) < 1000) return fmt::format("{:g}", value);
  return Scaled(value, kUnits);
}

std::string FormatPercent(double share, int decimals) {
  return fmt::format("{:.{}f} %", share * 100, decimals);
}

}  // namespace pipescope
