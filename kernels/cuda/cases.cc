// Sizes, layouts and truths: what needs no GPU.
#include <fmt/format.h>

#include <algorithm>

#include "kernels/cuda/gemm.h"
#include "kernels/cuda/library_scales.h"
#include "kernels/cuda/quantize.h"
#include "kernels/fp8/gemm.h"

namespace pipescope::kernels::cuda {
namespace {

int64_t Ceil(int64_t a, int64_t b) { return (a + b - 1) / b; }

Status Wrong(const char* field, int64_t value, const char* expected) {
  return Fail(fmt::format("{}: {}: expected {}", field, value, expected));
}

constexpr int64_t kMostRows = int64_t{1} << 24;  // of a tensor map's 32-bit coordinates
constexpr int64_t kMostRmsColumns = 16384;       // a row is held by one block of 1024 threads

// Rows [first, first + count) of a matrix, columns [from, from + width), both on groups' borders.
Quantized Part(const Quantized& q, int64_t first, int64_t count, int64_t from, int64_t width) {
  Quantized part{count, width, q.grouping, {}, {}};
  for (int64_t r = first; r < first + count; ++r) {
    const auto begin = q.codes.begin() + r * q.columns + from;
    part.codes.insert(part.codes.end(), begin, begin + width);
  }
  const int64_t step = q.grouping == Grouping::kTiles ? 1 : kScaleGroup;
  for (int64_t r = first; r < first + count; r += step) {
    for (int64_t c = from; c < from + width; c += kScaleGroup) part.scales.push_back(q.scale(r, c));
  }
  return part;
}

}  // namespace

Bytes QuantizeCase::bytes() const {
  const int64_t scales =
      grouping == Grouping::kTiles
          ? (transposed ? columns * Ceil(rows, kScaleGroup) : rows * Ceil(columns, kScaleGroup))
          : Ceil(rows, kScaleGroup) * Ceil(columns, kScaleGroup);
  return Bytes(rows * columns * (source == Source::kSwiGlu ? 5 : 3) + 4 * scales);
}

Status CheckCase(const QuantizeCase& c) {
  if (c.rows < 1 || c.rows > kMostRows) return Wrong("rows", c.rows, "1 to 16777216");
  if (c.columns < 16 || c.columns % 16 != 0) {
    return Wrong("columns", c.columns, "a multiple of 16");
  }
  if (c.transposed && c.rows % 16 != 0) {
    return Wrong("rows", c.rows, "a multiple of 16 where the result is transposed");
  }
  const bool fused = c.source != Source::kPlain;
  if (fused && (c.transposed || c.grouping == Grouping::kBlocks)) {
    return Fail("a fused quantiser: expected tiles, not transposed");
  }
  if (c.source == Source::kRmsNorm && c.columns > kMostRmsColumns) {
    return Wrong("columns", c.columns, "at most 16384 under RMSNorm");
  }
  return {};
}

int64_t ScaleStride(int64_t rows) { return Ceil(rows, kScaleGroup) * kScaleGroup; }

std::vector<float> RowsFastest(const Quantized& tiles) {
  const int64_t stride = ScaleStride(tiles.rows), groups = tiles.column_groups();
  std::vector<float> scales(static_cast<size_t>(stride * groups), 0);
  for (int64_t r = 0; r < tiles.rows; ++r) {
    for (int64_t g = 0; g < groups; ++g) {
      scales[static_cast<size_t>(g * stride + r)] = tiles.scale(r, g * kScaleGroup);
    }
  }
  return scales;
}

std::vector<float> GroupsFastest(std::span<const float> scales, int64_t rows, int64_t groups) {
  std::vector<float> out;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t g = 0; g < groups; ++g) {
      out.push_back(scales[static_cast<size_t>(g * ScaleStride(rows) + r)]);
    }
  }
  return out;
}

std::vector<float> LibraryScales(const Quantized& q) {
  std::vector<float> scales;
  const int64_t groups = q.column_groups();
  if (q.grouping == Grouping::kTiles) {
    for (int64_t g = 0; g < groups; ++g) {
      for (int64_t r = 0; r < q.rows; ++r) scales.push_back(q.scale(r, g * kScaleGroup));
    }
    return scales;
  }
  for (int64_t r = 0; r < q.rows; r += kScaleGroup) {
    for (int64_t g = 0; g < Ceil(groups, 4) * 4; ++g) {
      scales.push_back(g < groups ? q.scale(r, g * kScaleGroup) : 0);
    }
  }
  return scales;
}

Status CheckLibraryCase(const GemmCase& c) {
  if (c.groups != Groups::kNone) return Fail("cuBLASLt: has no groups");
  if (c.m % 4 != 0) return Wrong("cuBLASLt: m", c.m, "a multiple of 4");
  if (c.n % 4 != 0) return Wrong("cuBLASLt: n", c.n, "a multiple of 4");
  return {};
}

const char* NameOf(Backend backend) { return backend == Backend::kOurs ? "ours" : "cuBLASLt"; }

Flops GemmCase::flops() const {
  return Flops(2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k));
}

Bytes GemmCase::bytes() const {
  const int64_t of_b = groups == Groups::kRows ? count() * n * k : n * k;
  const int64_t of_c = (groups == Groups::kDepth ? count() : 1) * m * n * (fp32() ? 4 : 2);
  return Bytes(m * k + of_b + of_c);
}

Status CheckCase(const GemmCase& c) {
  if (c.m < 1 || c.m > kMostRows) return Wrong("m", c.m, "1 to 16777216");
  if (c.n < 8 || c.n > kMostRows || c.n % 8 != 0) return Wrong("n", c.n, "a multiple of 8");
  if (c.k < 16 || c.k % 16 != 0) return Wrong("k", c.k, "a multiple of 16");
  if (c.backend == Backend::kCublasLt) return CheckLibraryCase(c);
  if (c.groups == Groups::kNone) return {};
  const int64_t whole = c.groups == Groups::kRows ? c.m : c.k;
  if (c.offsets.size() < 2 || c.offsets.front() != 0 || c.offsets.back() != whole) {
    return Fail("offsets: expected to begin with 0 and to end with all rows, or columns");
  }
  if (!std::is_sorted(c.offsets.begin(), c.offsets.end())) {
    return Fail("offsets: expected to ascend");
  }
  for (const int64_t offset : c.offsets) {
    if (offset % kTile != 0) return Wrong("offsets", offset, "a multiple of 128");
  }
  if (c.groups == Groups::kRows && c.b_grouping == Grouping::kBlocks && c.n % kScaleGroup != 0) {
    return Wrong("n", c.n, "a multiple of 128 where b's blocks are grouped");
  }
  if ((c.groups == Groups::kDepth) != c.fp32()) {
    return Fail("groups: expected tiles of b exactly where they are along k");
  }
  return {};
}

std::vector<double> GemmTruth(const GemmCase& c, const GemmInputs& in) {
  if (c.groups == Groups::kNone) return BlockScaledGemm(in.a, in.b, Accumulation::kWide);
  std::vector<double> truth;
  for (int64_t g = 0; g < c.count(); ++g) {
    const int64_t begin = c.offsets[static_cast<size_t>(g)];
    const int64_t length = c.offsets[static_cast<size_t>(g) + 1] - begin;
    const bool rows = c.groups == Groups::kRows;
    const Quantized a =
        rows ? Part(in.a, begin, length, 0, c.k) : Part(in.a, 0, c.m, begin, length);
    const Quantized b = rows ? Part(in.b, g * c.n, c.n, 0, c.k) : Part(in.b, 0, c.n, begin, length);
    const auto part = BlockScaledGemm(a, b, Accumulation::kWide);
    truth.insert(truth.end(), part.begin(), part.end());
  }
  return truth;
}

}  // namespace pipescope::kernels::cuda
