#include "kernels/fast/layers.h"

#include <cmath>

#include "kernels/fast/lanes.h"
#include "sim/base/result.h"

namespace pipescope::kernels::fast {
namespace {

size_t Size(int64_t value) { return static_cast<size_t>(value); }

float ReciprocalOf(const float* row, size_t columns, double epsilon) {
  const float squares = SumOf(columns, [&](size_t c) { return row[c] * row[c]; });
  return static_cast<float>(1 /
                            std::sqrt(double{squares} / static_cast<double>(columns) + epsilon));
}

float Sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

// `direction` is 1 to turn and -1 to turn back.
std::vector<float> Turn(std::span<const float> x, std::span<const int64_t> positions,
                        std::span<const double> frequencies, const RopeShape& shape,
                        double direction) {
  const size_t heads = Size(shape.heads), channels = Size(shape.channels);
  const size_t still = Size(shape.channels - shape.rotary);
  PIPESCOPE_CHECK(x.size() == positions.size() * heads * channels);
  PIPESCOPE_CHECK(shape.rotary <= shape.channels && frequencies.size() * 2 == channels - still);
  std::vector<float> y(x.begin(), x.end());
  std::vector<float> cosines(frequencies.size()), sines(frequencies.size());
  for (size_t token = 0; token < positions.size(); ++token) {
    for (size_t i = 0; i < frequencies.size(); ++i) {
      const double angle = direction * static_cast<double>(positions[token]) * frequencies[i];
      cosines[i] = static_cast<float>(std::cos(angle));
      sines[i] = static_cast<float>(std::sin(angle));
    }
    for (size_t head = token * heads; head < (token + 1) * heads; ++head) {
      float* at = y.data() + head * channels + still;
      for (size_t i = 0; i < frequencies.size(); ++i, at += 2) {
        const float real = at[0], imaginary = at[1];
        at[0] = real * cosines[i] - imaginary * sines[i];
        at[1] = real * sines[i] + imaginary * cosines[i];
      }
    }
  }
  return y;
}

// [rows]: each row is its slot's token times the slot's weight, 1 if none are given.
std::vector<float> Spread(std::span<const float> tokens, std::span<const float> weights,
                          const Permutation& by, int64_t columns) {
  const size_t width = Size(columns), selected = Size(by.selected);
  PIPESCOPE_CHECK(tokens.size() * selected == by.rows_of.size() * width);
  PIPESCOPE_CHECK(weights.empty() || weights.size() == by.rows_of.size());
  std::vector<float> rows(by.slots.size() * width);
  for (size_t r = 0; r < by.slots.size(); ++r) {
    if (by.slots[r] < 0) continue;
    const size_t slot = Size(by.slots[r]);
    const float weight = weights.empty() ? 1.0F : weights[slot];
    const float* from = tokens.data() + slot / selected * width;
    for (size_t c = 0; c < width; ++c) rows[r * width + c] = weight * from[c];
  }
  return rows;
}

// [tokens]: the sum of the rows of each token's slots, times their weights if any are given.
std::vector<float> Gather(std::span<const float> rows, std::span<const float> weights,
                          const Permutation& by, int64_t columns) {
  const size_t width = Size(columns), selected = Size(by.selected);
  PIPESCOPE_CHECK(rows.size() == by.slots.size() * width);
  PIPESCOPE_CHECK(weights.empty() || weights.size() == by.rows_of.size());
  std::vector<float> tokens(by.rows_of.size() / selected * width);
  for (size_t slot = 0; slot < by.rows_of.size(); ++slot) {
    if (by.rows_of[slot] < 0) continue;
    const float weight = weights.empty() ? 1.0F : weights[slot];
    const float* from = rows.data() + Size(by.rows_of[slot]) * width;
    float* to = tokens.data() + slot / selected * width;
    for (size_t c = 0; c < width; ++c) to[c] += weight * from[c];
  }
  return tokens;
}

}  // namespace

std::vector<float> RmsNorm(std::span<const float> x, std::span<const float> weight,
                           double epsilon) {
  const size_t columns = weight.size();
  PIPESCOPE_CHECK(columns > 0 && x.size() % columns == 0);
  std::vector<float> y(x.size());
  for (size_t at = 0; at < x.size(); at += columns) {
    const float r = ReciprocalOf(x.data() + at, columns, epsilon);
    for (size_t c = 0; c < columns; ++c) y[at + c] = x[at + c] * r * weight[c];
  }
  return y;
}

std::vector<float> RmsNormInputGradient(std::span<const float> x, std::span<const float> weight,
                                        std::span<const float> dy, double epsilon) {
  const size_t columns = weight.size();
  PIPESCOPE_CHECK(columns > 0 && x.size() % columns == 0 && x.size() == dy.size());
  std::vector<float> dx(x.size());
  for (size_t at = 0; at < x.size(); at += columns) {
    const float r = ReciprocalOf(x.data() + at, columns, epsilon);
    const float product =
        SumOf(columns, [&](size_t c) { return weight[c] * dy[at + c] * x[at + c]; });
    const float by = r * r * product / static_cast<float>(columns);
    for (size_t c = 0; c < columns; ++c) {
      dx[at + c] = r * (weight[c] * dy[at + c] - x[at + c] * by);
    }
  }
  return dx;
}

std::vector<float> RmsNormWeightGradient(std::span<const float> x, std::span<const float> dy,
                                         int64_t columns, double epsilon) {
  const size_t width = Size(columns);
  PIPESCOPE_CHECK(width > 0 && x.size() % width == 0 && x.size() == dy.size());
  std::vector<float> dw(width);
  for (size_t at = 0; at < x.size(); at += width) {
    const float r = ReciprocalOf(x.data() + at, width, epsilon);
    for (size_t c = 0; c < width; ++c) dw[c] += dy[at + c] * x[at + c] * r;
  }
  return dw;
}

std::vector<float> SwiGlu(std::span<const float> x, int64_t columns) {
  const size_t width = Size(columns);
  PIPESCOPE_CHECK(width > 0 && x.size() % (2 * width) == 0);
  std::vector<float> y(x.size() / 2);
  for (size_t at = 0; at < x.size(); at += 2 * width) {
    for (size_t c = 0; c < width; ++c) {
      const float gate = x[at + c];
      y[at / 2 + c] = gate * Sigmoid(gate) * x[at + width + c];
    }
  }
  return y;
}

std::vector<float> SwiGluInputGradient(std::span<const float> x, std::span<const float> dy,
                                       int64_t columns) {
  const size_t width = Size(columns);
  PIPESCOPE_CHECK(width > 0 && x.size() % (2 * width) == 0 && x.size() == 2 * dy.size());
  std::vector<float> dx(x.size());
  for (size_t at = 0; at < x.size(); at += 2 * width) {
    for (size_t c = 0; c < width; ++c) {
      const float gate = x[at + c], up = x[at + width + c], gradient = dy[at / 2 + c];
      const float s = Sigmoid(gate);
      dx[at + c] = gradient * up * s * (1 + gate * (1 - s));
      dx[at + width + c] = gradient * gate * s;
    }
  }
  return dx;
}

std::vector<float> Rope(std::span<const float> x, std::span<const int64_t> positions,
                        std::span<const double> frequencies, const RopeShape& shape) {
  return Turn(x, positions, frequencies, shape, 1);
}

std::vector<float> RopeInputGradient(std::span<const float> dy, std::span<const int64_t> positions,
                                     std::span<const double> frequencies, const RopeShape& shape) {
  return Turn(dy, positions, frequencies, shape, -1);
}

std::vector<float> Permute(std::span<const float> x, const Permutation& by, int64_t columns) {
  return Spread(x, {}, by, columns);
}

std::vector<float> PermuteInputGradient(std::span<const float> d_rows, const Permutation& by,
                                        int64_t columns) {
  return Gather(d_rows, {}, by, columns);
}

std::vector<float> Unpermute(std::span<const float> rows, std::span<const float> weights,
                             const Permutation& by, int64_t columns) {
  PIPESCOPE_CHECK(weights.size() == by.rows_of.size());
  return Gather(rows, weights, by, columns);
}

std::vector<float> UnpermuteInputGradient(std::span<const float> dy, std::span<const float> weights,
                                          const Permutation& by, int64_t columns) {
  PIPESCOPE_CHECK(weights.size() == by.rows_of.size());
  return Spread(dy, weights, by, columns);
}

std::vector<float> UnpermuteWeightGradient(std::span<const float> dy, std::span<const float> rows,
                                           const Permutation& by, int64_t columns) {
  const size_t width = Size(columns), selected = Size(by.selected);
  PIPESCOPE_CHECK(dy.size() * selected == by.rows_of.size() * width);
  PIPESCOPE_CHECK(rows.size() == by.slots.size() * width);
  std::vector<float> d_weights(by.rows_of.size());
  for (size_t slot = 0; slot < d_weights.size(); ++slot) {
    if (by.rows_of[slot] < 0) continue;
    const float* row = rows.data() + Size(by.rows_of[slot]) * width;
    const float* gradient = dy.data() + slot / selected * width;
    d_weights[slot] = SumOf(width, [&](size_t c) { return row[c] * gradient[c]; });
  }
  return d_weights;
}

}  // namespace pipescope::kernels::fast
