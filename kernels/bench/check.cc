#include "kernels/bench/check.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "kernels/fp8/gemm.h"

namespace pipescope::kernels::bench {
namespace {

void Fault(Checked& checked, const std::string& text) {
  if (checked.failure.empty()) checked.failure = text;
}

template <class T>
void CompareBits(Checked& checked, const std::string& what, std::span<const T> result,
                 std::span<const T> truth) {
  ++checked.cases;
  if (result.size() != truth.size()) {
    return Fault(checked,
                 fmt::format("{}: {} values, expected {}", what, result.size(), truth.size()));
  }
  for (size_t i = 0; i < truth.size(); ++i) {
    if (std::memcmp(&result[i], &truth[i], sizeof(T)) != 0) {
      return Fault(checked, fmt::format("{}: value {} of {} is {}, expected {}", what, i,
                                        truth.size(), result[i], truth[i]));
    }
  }
}

}  // namespace

uint64_t Draw::Bits() {
  state_ ^= state_ << 13;
  state_ ^= state_ >> 7;
  state_ ^= state_ << 17;
  return state_ * 0x2545f4914f6cdd1dU;
}

float Draw::Uniform() {
  return static_cast<float>(static_cast<int64_t>(Bits() >> 40) - (1 << 23)) * 0x1p-23F;
}

float Draw::Normal() {
  float sum = 0;
  for (int i = 0; i < 12; ++i) sum += Uniform();
  return sum / 2;  // twelve variances of 1/3, halved twice
}

std::vector<float> DrawNormal(Draw& draw, int64_t count, float scale) {
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = scale * draw.Normal();
  return values;
}

std::vector<float> DrawAdversarial(Draw& draw, int64_t rows, int64_t columns) {
  std::vector<float> values;
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t kind = draw.Below(6);
    const int exponent = static_cast<int>(draw.Below(81)) - 40;
    for (int64_t c = 0; c < columns; ++c) {
      const float x = draw.Normal();
      const bool lone = draw.Below(97) == 0;
      values.push_back(kind == 0   ? 0.0F
                       : kind == 1 ? (lone ? 3.0e4F : 1e-3F * x)
                       : kind == 2 ? std::ldexp(x, exponent)
                       : kind == 3 ? (lone ? std::ldexp(448.0F, exponent / 4) : std::ldexp(x, -30))
                       : kind == 4 ? x * 0x1p-140F
                                   : x);
    }
  }
  return values;
}

void Note(Checked& checked, const std::string& what, std::span<const double> result,
          std::span<const double> truth) {
  ++checked.cases;
  if (result.size() != truth.size()) {
    return Fault(checked,
                 fmt::format("{}: {} values, expected {}", what, result.size(), truth.size()));
  }
  const double difference = RelativeDifference(result, truth);
  if (difference > checked.difference) checked.difference = difference;
  if (!(difference <= checked.limit)) {  // also where it is not a number
    Fault(checked, fmt::format("{}: relative difference {:.3g}, expected at most {:.3g}", what,
                               difference, checked.limit));
  }
}

void NoteEqual(Checked& checked, const std::string& what, std::span<const uint8_t> result,
               std::span<const uint8_t> truth) {
  CompareBits(checked, what, result, truth);
}

void NoteEqual(Checked& checked, const std::string& what, std::span<const float> result,
               std::span<const float> truth) {
  CompareBits(checked, what, result, truth);
}

void NoteTrue(Checked& checked, const std::string& what, bool holds) {
  ++checked.cases;
  if (!holds) Fault(checked, what);
}

std::vector<double> Widen(std::span<const float> values) { return {values.begin(), values.end()}; }

}  // namespace pipescope::kernels::bench
