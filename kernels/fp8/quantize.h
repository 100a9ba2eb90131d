// Values in E4M3 with one FP32 scale for each group of them.
//
//   tiles    1 x 128: a scale for 128 neighbours of a row (activations, gradients)
//   blocks   128 x 128: a scale for a square (weights)
//
//   amax = max |x| of the group, at least 1e-4      scale = amax / 448
//   code = E4M3(x / scale)                          x ~ code * scale
//
// With power-of-two scales, scale = 2^ceil(log2(amax / 448)): values that are quantised along the
// other direction later lose nothing twice (DeepSeek-V3, section 3.3.2, for what is dispatched and
// for the inputs of linear layers after attention).
//
// Matrices are row-major. A group at the edge may be cut short. Example: the row {224, 1, -2}: amax
// 224, scale 0.5, codes of 448, 2 and -4.
// Source: DeepSeek-V3, arXiv 2412.19437, section 3.3.2; amax's floor as in DeepGEMM's tests.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pipescope::kernels {

inline constexpr int64_t kScaleGroup = 128;
inline constexpr float kLeastAmax = 1e-4F;

enum class Grouping { kTiles, kBlocks };
enum class ScaleKind { kFloat, kPowerOfTwo };

struct Quantized {
  int64_t rows = 0;
  int64_t columns = 0;
  Grouping grouping = Grouping::kTiles;
  std::vector<uint8_t> codes;  // [rows][columns]
  std::vector<float> scales;   // [rows or groups of 128][groups of 128 columns]

  int64_t column_groups() const { return (columns + kScaleGroup - 1) / kScaleGroup; }
  float scale(int64_t row, int64_t column) const {
    const int64_t r = grouping == Grouping::kTiles ? row : row / kScaleGroup;
    return scales[static_cast<size_t>(r * column_groups() + column / kScaleGroup)];
  }
};

// `values` has rows x columns of them. NaN makes its group's scale what the others ask for and
// stays NaN; an infinity makes the scale infinite and its group NaN or 0: inputs must be finite.
Quantized Quantize(std::span<const float> values, int64_t rows, int64_t columns, Grouping grouping,
                   ScaleKind kind = ScaleKind::kFloat);

// The transposed matrix, quantised along what are its rows then: the weight gradient's operands.
Quantized QuantizeTransposed(std::span<const float> values, int64_t rows, int64_t columns,
                             Grouping grouping, ScaleKind kind = ScaleKind::kFloat);

// [rows][columns].
std::vector<float> Dequantize(const Quantized& quantized);

}  // namespace pipescope::kernels
