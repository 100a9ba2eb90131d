#include "kernels/fast/attention.h"

#include <algorithm>
#include <cmath>

#include "kernels/fast/gemm.h"
#include "kernels/fast/lanes.h"
#include "sim/base/result.h"

namespace pipescope::kernels::fast {
namespace {

// What one head sees of arrays that hold all heads.
struct Heads {
  int64_t tokens = 0;
  const AttentionShape& shape;

  Heads(std::span<const float> q, std::span<const float> k, std::span<const float> v,
        const AttentionShape& of)
      : shape(of) {
    PIPESCOPE_CHECK(of.heads > 0 && of.kv_heads == of.heads && of.causal);
    PIPESCOPE_CHECK(of.window == kNoWindow && q.size() == k.size());
    tokens = static_cast<int64_t>(q.size()) / (of.heads * of.qk_channels);
    PIPESCOPE_CHECK(static_cast<int64_t>(q.size()) == tokens * of.heads * of.qk_channels);
    PIPESCOPE_CHECK(static_cast<int64_t>(v.size()) == tokens * of.heads * of.v_channels);
  }

  View Qk(const float* values, int64_t head) const {
    return {values + head * shape.qk_channels, tokens, shape.qk_channels,
            shape.heads * shape.qk_channels};
  }
  View Values(const float* values, int64_t head) const {
    return {values + head * shape.v_channels, tokens, shape.v_channels,
            shape.heads * shape.v_channels};
  }
  View Square(const std::vector<float>& values) const {
    return {values.data(), tokens, tokens, tokens};
  }
  size_t size() const { return static_cast<size_t>(tokens); }
};

// Row i of a square matrix up to the diagonal becomes its softmax, the rest zero; returns l.
float SoftmaxRow(float* row, size_t i, size_t tokens) {
  const float largest = *std::max_element(row, row + i + 1);
  for (size_t j = 0; j <= i; ++j) row[j] = std::exp(row[j] - largest);
  const float sum = SumOf(i + 1, [&](size_t j) { return row[j]; });
  const float by = 1 / sum;
  for (size_t j = 0; j <= i; ++j) row[j] *= by;
  std::fill(row + i + 1, row + tokens, 0.0F);
  return largest + std::log(sum);
}

// P of one head; `log_sums` is [tokens][heads], or null.
void Probabilities(const Heads& heads, const float* q, const float* k, int64_t head,
                   std::vector<float>& p, float* log_sums) {
  const AttentionShape& shape = heads.shape;
  Multiply(heads.Qk(q, head), Turned::kNo, heads.Qk(k, head), Turned::kYes,
           static_cast<float>(shape.scale), false, p.data(), heads.tokens);
  for (size_t i = 0; i < heads.size(); ++i) {
    const float l = SoftmaxRow(p.data() + i * heads.size(), i, heads.size());
    if (log_sums == nullptr) continue;
    log_sums[i * static_cast<size_t>(shape.heads) + static_cast<size_t>(head)] = l;
  }
}

// dp becomes dS, given P.
void ScoreGradient(const Heads& heads, const std::vector<float>& p, std::vector<float>& dp) {
  const size_t tokens = heads.size();
  const float scale = static_cast<float>(heads.shape.scale);
  for (size_t i = 0; i < tokens; ++i) {
    const float* probability = p.data() + i * tokens;
    float* row = dp.data() + i * tokens;
    const float along = SumOf(i + 1, [&](size_t j) { return probability[j] * row[j]; });
    for (size_t j = 0; j <= i; ++j) row[j] = scale * probability[j] * (row[j] - along);
    std::fill(row + i + 1, row + tokens, 0.0F);
  }
}

}  // namespace

AttentionResult Attention(std::span<const float> q, std::span<const float> k,
                          std::span<const float> v, const AttentionShape& shape) {
  const Heads heads(q, k, v, shape);
  AttentionResult result{std::vector<float>(v.size()),
                         std::vector<float>(heads.size() * static_cast<size_t>(shape.heads))};
  std::vector<float> p(heads.size() * heads.size());
  const int64_t stride = shape.heads * shape.v_channels;
  for (int64_t head = 0; head < shape.heads; ++head) {
    Probabilities(heads, q.data(), k.data(), head, p, result.log_sums.data());
    Multiply(heads.Square(p), Turned::kNo, heads.Values(v.data(), head), Turned::kNo, 1, false,
             result.out.data() + head * shape.v_channels, stride);
  }
  return result;
}

AttentionGradients AttentionInputGradient(std::span<const float> q, std::span<const float> k,
                                          std::span<const float> v, std::span<const float> d_out,
                                          const AttentionShape& shape) {
  const Heads heads(q, k, v, shape);
  PIPESCOPE_CHECK(d_out.size() == v.size());
  AttentionGradients d{std::vector<float>(q.size()), std::vector<float>(k.size()),
                       std::vector<float>(v.size())};
  std::vector<float> p(heads.size() * heads.size()), ds(p.size());
  const int64_t qk_stride = shape.heads * shape.qk_channels;
  const int64_t v_stride = shape.heads * shape.v_channels;
  for (int64_t head = 0; head < shape.heads; ++head) {
    const View d_o = heads.Values(d_out.data(), head);
    Probabilities(heads, q.data(), k.data(), head, p, nullptr);
    Multiply(d_o, Turned::kNo, heads.Values(v.data(), head), Turned::kYes, 1, false, ds.data(),
             heads.tokens);
    Multiply(heads.Square(p), Turned::kYes, d_o, Turned::kNo, 1, false,
             d.dv.data() + head * shape.v_channels, v_stride);
    ScoreGradient(heads, p, ds);
    Multiply(heads.Square(ds), Turned::kNo, heads.Qk(k.data(), head), Turned::kNo, 1, false,
             d.dq.data() + head * shape.qk_channels, qk_stride);
    Multiply(heads.Square(ds), Turned::kYes, heads.Qk(q.data(), head), Turned::kNo, 1, false,
             d.dk.data() + head * shape.qk_channels, qk_stride);
  }
  return d;
}

}  // namespace pipescope::kernels::fast
