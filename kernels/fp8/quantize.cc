#include "kernels/fp8/quantize.h"

#include <algorithm>
#include <cmath>

#include "kernels/fp8/e4m3.h"
#include "sim/base/result.h"

namespace pipescope::kernels {
namespace {

float ScaleOf(float amax, ScaleKind kind) {
  const float scale = std::max(amax, kLeastAmax) / kE4m3Max;
  if (kind == ScaleKind::kFloat) return scale;
  int exponent = 0;
  const float fraction = std::frexp(scale, &exponent);  // scale = fraction 2^exponent, [0.5, 1)
  return std::ldexp(1.0F, fraction == 0.5F ? exponent - 1 : exponent);
}

}  // namespace

Quantized Quantize(std::span<const float> values, int64_t rows, int64_t columns, Grouping grouping,
                   ScaleKind kind) {
  PIPESCOPE_CHECK(static_cast<int64_t>(values.size()) == rows * columns);
  Quantized out{rows, columns, grouping, {}, {}};
  out.codes.resize(values.size());
  const int64_t height = grouping == Grouping::kTiles ? 1 : kScaleGroup;
  for (int64_t top = 0; top < rows; top += height) {
    for (int64_t left = 0; left < columns; left += kScaleGroup) {
      const int64_t bottom = std::min(rows, top + height);
      const int64_t right = std::min(columns, left + kScaleGroup);
      float amax = 0;
      for (int64_t r = top; r < bottom; ++r) {
        for (int64_t c = left; c < right; ++c) {
          // The comparison is false for NaN.
          const float magnitude = std::fabs(values[static_cast<size_t>(r * columns + c)]);
          if (magnitude > amax) amax = magnitude;
        }
      }
      const float scale = ScaleOf(amax, kind);
      out.scales.push_back(scale);
      for (int64_t r = top; r < bottom; ++r) {
        for (int64_t c = left; c < right; ++c) {
          const size_t at = static_cast<size_t>(r * columns + c);
          out.codes[at] = EncodeE4m3(values[at] / scale);
        }
      }
    }
  }
  return out;
}

Quantized QuantizeTransposed(std::span<const float> values, int64_t rows, int64_t columns,
                             Grouping grouping, ScaleKind kind) {
  std::vector<float> transposed(values.size());
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      transposed[static_cast<size_t>(c * rows + r)] = values[static_cast<size_t>(r * columns + c)];
    }
  }
  return Quantize(transposed, columns, rows, grouping, kind);
}

std::vector<float> Dequantize(const Quantized& quantized) {
  std::vector<float> values(quantized.codes.size());
  for (int64_t r = 0; r < quantized.rows; ++r) {
    for (int64_t c = 0; c < quantized.columns; ++c) {
      const size_t at = static_cast<size_t>(r * quantized.columns + c);
      values[at] = DecodeE4m3(quantized.codes[at]) * quantized.scale(r, c);
    }
  }
  return values;
}

}  // namespace pipescope::kernels
