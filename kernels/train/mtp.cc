#include "kernels/train/mtp.h"

#include "kernels/train/rms_norm.h"
#include "sim/base/result.h"

namespace pipescope::kernels {
namespace {

size_t ColumnsOf(const MtpInput& in) {
  PIPESCOPE_CHECK(in.h.size() == in.e.size() && in.weight_h.size() == in.weight_e.size());
  PIPESCOPE_CHECK(!in.weight_h.empty() && in.h.size() % in.weight_h.size() == 0);
  return in.weight_h.size();
}

// Rows of 2 columns: one half of each.
std::vector<float> Half(std::span<const float> both, size_t columns, size_t which) {
  PIPESCOPE_CHECK(both.size() % (2 * columns) == 0);
  std::vector<float> half;
  for (size_t at = which * columns; at < both.size(); at += 2 * columns) {
    const auto row = both.subspan(at, columns);
    half.insert(half.end(), row.begin(), row.end());
  }
  return half;
}

}  // namespace

std::vector<float> MtpJoin(const MtpInput& in) {
  const size_t columns = ColumnsOf(in);
  const auto h = RmsNorm(in.h, in.weight_h), e = RmsNorm(in.e, in.weight_e);
  std::vector<float> both;
  for (size_t at = 0; at < h.size(); at += columns) {
    for (const auto* half : {&h, &e}) {
      const auto row = std::span(*half).subspan(at, columns);
      both.insert(both.end(), row.begin(), row.end());
    }
  }
  return both;
}

MtpGradients MtpJoinInputGradient(const MtpInput& in, std::span<const float> dy) {
  const size_t columns = ColumnsOf(in);
  return {RmsNormInputGradient(in.h, in.weight_h, Half(dy, columns, 0)),
          RmsNormInputGradient(in.e, in.weight_e, Half(dy, columns, 1))};
}

MtpWeightGradients MtpJoinWeightGradient(const MtpInput& in, std::span<const float> dy) {
  const size_t columns = ColumnsOf(in);
  const auto width = static_cast<int64_t>(columns);
  return {RmsNormWeightGradient(in.h, Half(dy, columns, 0), width),
          RmsNormWeightGradient(in.e, Half(dy, columns, 1), width)};
}

}  // namespace pipescope::kernels
