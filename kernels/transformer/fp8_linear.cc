#include "kernels/transformer/fp8_linear.h"

#include "kernels/fast/gemm.h"
#include "kernels/fp8/quantize.h"

namespace pipescope::transformer {
namespace {

using kernels::Grouping;

int64_t RowsOf(std::span<const float> values, int64_t columns) {
  return static_cast<int64_t>(values.size()) / columns;
}

std::vector<float> Rounded(std::span<const float> values, int64_t columns, Grouping grouping) {
  return kernels::Dequantize(kernels::Quantize(values, RowsOf(values, columns), columns, grouping));
}

std::vector<float> RoundedTransposed(std::span<const float> values, int64_t columns) {
  return kernels::Dequantize(
      kernels::QuantizeTransposed(values, RowsOf(values, columns), columns, Grouping::kTiles));
}

}  // namespace

std::vector<float> Fp8Linear(std::span<const float> x, std::span<const float> w, int64_t in) {
  return kernels::fast::Linear(Rounded(x, in, Grouping::kTiles), Rounded(w, in, Grouping::kBlocks),
                               in);
}

std::vector<float> Fp8InputGradient(std::span<const float> dy, std::span<const float> w,
                                    int64_t in) {
  return kernels::fast::LinearInputGradient(Rounded(dy, RowsOf(w, in), Grouping::kTiles),
                                            Rounded(w, in, Grouping::kBlocks), in);
}

std::vector<float> Fp8WeightGradient(std::span<const float> x, std::span<const float> dy,
                                     int64_t in, int64_t out) {
  return kernels::fast::Linear(RoundedTransposed(dy, out), RoundedTransposed(x, in), RowsOf(x, in));
}

}  // namespace pipescope::transformer
