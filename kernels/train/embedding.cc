#include "kernels/train/embedding.h"

#include "kernels/train/rows.h"

namespace pipescope::kernels {

std::vector<float> Embedding(std::span<const float> table, std::span<const int32_t> tokens,
                             int64_t columns) {
  const Rows rows(table, columns);
  std::vector<float> y;
  y.reserve(tokens.size() * rows.columns());
  for (const int32_t token : tokens) {
    PIPESCOPE_CHECK(0 <= token && token < static_cast<int64_t>(rows.count()));
    const auto row = rows[static_cast<size_t>(token)];
    y.insert(y.end(), row.begin(), row.end());
  }
  return y;
}

std::vector<float> EmbeddingWeightGradient(std::span<const int32_t> tokens,
                                           std::span<const float> dy, int64_t vocabulary,
                                           int64_t columns) {
  const Rows rows(dy, columns);
  PIPESCOPE_CHECK(rows.count() == tokens.size() && vocabulary >= 0);
  std::vector<double> gradient(static_cast<size_t>(vocabulary) * rows.columns());
  for (size_t t = 0; t < tokens.size(); ++t) {
    PIPESCOPE_CHECK(0 <= tokens[t] && tokens[t] < vocabulary);
    const size_t first = static_cast<size_t>(tokens[t]) * rows.columns();
    for (size_t c = 0; c < rows.columns(); ++c) gradient[first + c] += rows[t][c];
  }
  return Narrow(gradient);
}

}  // namespace pipescope::kernels
