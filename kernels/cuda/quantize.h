// FP8 quantisers on the GPU, as kernels/fp8/quantize.h defines them, from BF16.
//
//   plain     x is [rows][columns]
//   RMSNorm   x is [rows][columns], y = x r w is quantised without being rounded to BF16 first
//   SwiGLU    x is [rows][2 columns], gates first; y = g sigmoid(g) u is quantised
//
// Out of the plain source also the transposed matrix can come, quantised along what are its rows
// then. Codes are row-major. Scales of tiles are stored with the row running fastest, [groups of
// 128 columns][rows, up to a multiple of 128], so that a GEMM's tile finds its 128 scales in 512
// consecutive bytes; scales of blocks are [groups of rows][groups of columns]. What the tiles'
// padding holds is never used.
//
// Bytes at least: 2 a value read (4 for SwiGLU), 1 written, 4 for each scale. Plain codes and
// scales equal the CPU's to the bit (divide.h). Columns are multiples of 16, for 16-byte accesses,
// and rows too where the result is transposed.
//
// Example: 4096 x 7168 tiles: 28 Mi values, 4096 x 56 scales, 91.2 MB.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/cuda/gpu.h"
#include "kernels/fp8/quantize.h"

namespace pipescope::kernels::cuda {

enum class Source { kPlain, kRmsNorm, kSwiGlu };

struct QuantizeCase {
  int64_t rows = 0;
  int64_t columns = 0;
  Grouping grouping = Grouping::kTiles;
  ScaleKind kind = ScaleKind::kFloat;
  Source source = Source::kPlain;
  bool transposed = false;

  Bytes bytes() const;
};
Status CheckCase(const QuantizeCase& c);

// Scales of tiles, rows fastest; and back to [rows][groups].
int64_t ScaleStride(int64_t rows);
std::vector<float> RowsFastest(const Quantized& tiles);
std::vector<float> GroupsFastest(std::span<const float> scales, int64_t rows, int64_t groups);

// `x` and `weight` (RMSNorm's, else empty) are codes of BF16; the result is the CPU's layout.
// Outputs are poisoned before.
Result<Quantized> QuantizeOnGpu(const QuantizeCase& c, std::span<const uint16_t> x,
                                std::span<const uint16_t> weight);

}  // namespace pipescope::kernels::cuda
