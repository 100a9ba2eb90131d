#include "kernels/fp8/gemm.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/fp8/e4m3.h"
#include "kernels/fp8/tensor_core.h"
#include "sim/base/result.h"

namespace pipescope::kernels {
namespace {

// One row of codes as numbers.
std::vector<std::vector<double>> DecodeRows(const Quantized& q) {
  std::vector<std::vector<double>> rows(static_cast<size_t>(q.rows));
  for (size_t r = 0; r < rows.size(); ++r) {
    for (int64_t c = 0; c < q.columns; ++c) {
      rows[r].push_back(
          DecodeE4m3(q.codes[r * static_cast<size_t>(q.columns) + static_cast<size_t>(c)]));
    }
  }
  return rows;
}

double WideSum(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (size_t k = 0; k < a.size(); ++k) sum += a[k] * b[k];
  return sum;
}

double TensorCoreSum(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  std::array<double, kTensorCoreK> products;
  for (size_t begin = 0; begin < a.size(); begin += kTensorCoreK) {
    const size_t count = std::min<size_t>(kTensorCoreK, a.size() - begin);
    for (size_t k = 0; k < count; ++k) products[k] = a[begin + k] * b[begin + k];
    sum = TensorCoreAdd(sum, std::span(products).first(count));
  }
  return sum;
}

bool ScalesVaryAlongRows(const Quantized& q) {
  const size_t groups = static_cast<size_t>(q.column_groups());
  for (size_t i = 0; i < q.scales.size(); ++i) {
    if (q.scales[i] != q.scales[i / groups * groups]) return true;
  }
  return false;
}

}  // namespace

std::vector<double> BlockScaledGemm(const Quantized& a, const Quantized& b,
                                    Accumulation accumulation) {
  PIPESCOPE_CHECK(a.columns == b.columns);
  const bool whole = accumulation == Accumulation::kNotPromoted;
  PIPESCOPE_CHECK(!whole || (!ScalesVaryAlongRows(a) && !ScalesVaryAlongRows(b)));
  const auto rows_a = DecodeRows(a), rows_b = DecodeRows(b);
  const int64_t step = whole ? a.columns : kScaleGroup;
  std::vector<double> c;
  c.reserve(rows_a.size() * rows_b.size());
  for (int64_t i = 0; i < a.rows; ++i) {
    for (int64_t j = 0; j < b.rows; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < a.columns; k += step) {
        const size_t begin = static_cast<size_t>(k);
        const size_t count = static_cast<size_t>(std::min(step, a.columns - k));
        const auto x = std::span(rows_a[static_cast<size_t>(i)]).subspan(begin, count);
        const auto y = std::span(rows_b[static_cast<size_t>(j)]).subspan(begin, count);
        if (accumulation == Accumulation::kWide) {
          sum += double{a.scale(i, k)} * double{b.scale(j, k)} * WideSum(x, y);
        } else {
          // FP32 on CUDA cores: the scales' product, the multiplication and the addition round.
          const float part = static_cast<float>(TensorCoreSum(x, y));
          sum = std::fmaf(a.scale(i, k) * b.scale(j, k), part, static_cast<float>(sum));
        }
      }
      c.push_back(sum);
    }
  }
  return c;
}

Quantized QuantizeRows(std::span<const float> values, int64_t rows, int64_t columns) {
  Quantized out{rows, columns, Grouping::kTiles, {}, {}};
  for (int64_t r = 0; r < rows; ++r) {
    const auto row = values.subspan(static_cast<size_t>(r * columns), static_cast<size_t>(columns));
    float amax = kLeastAmax;
    for (const float value : row) amax = std::max(amax, std::fabs(value));
    const float scale = amax / kE4m3Max;
    for (const float value : row) out.codes.push_back(EncodeE4m3(value / scale));
    out.scales.insert(out.scales.end(), static_cast<size_t>(out.column_groups()), scale);
  }
  return out;
}

double RelativeDifference(std::span<const double> x, std::span<const double> y) {
  PIPESCOPE_CHECK(x.size() == y.size());
  double product = 0, squares = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    product += x[i] * y[i];
    squares += x[i] * x[i] + y[i] * y[i];
  }
  return squares == 0 ? 0 : 1 - 2 * product / squares;
}

ErrorSize ErrorOf(std::span<const double> x, std::span<const double> truth) {
  PIPESCOPE_CHECK(x.size() == truth.size());
  double worst = 0, magnitude = 0, errors = 0, squares = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double error = std::fabs(x[i] - truth[i]);
    worst = std::max(worst, error);
    magnitude += std::fabs(truth[i]);
    errors += error * error;
    squares += truth[i] * truth[i];
  }
  if (squares == 0) return {};
  return {worst / (magnitude / static_cast<double>(x.size())), std::sqrt(errors / squares)};
}

}  // namespace pipescope::kernels
