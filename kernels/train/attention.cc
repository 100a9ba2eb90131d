#include "kernels/train/attention.h"

#include <algorithm>
#include <cmath>

#include "kernels/train/rows.h"

namespace pipescope::kernels {
namespace {

double Product(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t c = 0; c < a.size(); ++c) sum += double{a[c]} * b[c];
  return sum;
}

// sum += by * values
void AddTimes(double by, std::span<const float> values, std::span<double> sum) {
  for (size_t c = 0; c < values.size(); ++c) sum[c] += by * values[c];
}

// What one head of one query sees: P for the keys from `first` on, and l.
struct Seen {
  size_t first = 0;
  std::vector<double> probabilities;
  double log_sum = -std::numeric_limits<double>::infinity();
};

// The inputs, a row a head of a token.
struct Heads {
  Rows q, k, v;
  AttentionShape shape;

  // The row in k and v of a key for a row of q.
  size_t KeyRow(size_t query_row, size_t key) const {
    const int64_t head = static_cast<int64_t>(query_row) % shape.heads;
    return key * static_cast<size_t>(shape.kv_heads) +
           static_cast<size_t>(head / (shape.heads / shape.kv_heads));
  }

  Seen Look(size_t query_row) const {
    const int64_t queries = static_cast<int64_t>(q.count()) / shape.heads;
    const int64_t keys = static_cast<int64_t>(k.count()) / shape.kv_heads;
    const int64_t position = static_cast<int64_t>(query_row) / shape.heads + keys - queries;
    const int64_t end = shape.causal ? position + 1 : keys;
    const int64_t first = end > shape.window ? end - shape.window : 0;
    Seen seen;
    seen.first = static_cast<size_t>(first);
    for (int64_t key = first; key < end; ++key) {
      const size_t row = KeyRow(query_row, static_cast<size_t>(key));
      seen.probabilities.push_back(shape.scale * Product(q[query_row], k[row]));
    }
    if (seen.probabilities.empty()) return seen;
    const double largest = *std::max_element(seen.probabilities.begin(), seen.probabilities.end());
    double sum = 0;
    for (double& p : seen.probabilities) sum += p = std::exp(p - largest);
    for (double& p : seen.probabilities) p /= sum;
    seen.log_sum = largest + std::log(sum);
    return seen;
  }
};

Heads HeadsOf(std::span<const float> q, std::span<const float> k, std::span<const float> v,
              const AttentionShape& shape) {
  PIPESCOPE_CHECK(shape.kv_heads > 0 && shape.heads > 0 && shape.heads % shape.kv_heads == 0);
  PIPESCOPE_CHECK(shape.window >= 1 && (shape.causal || shape.window == kNoWindow));
  const Heads in{{q, shape.qk_channels}, {k, shape.qk_channels}, {v, shape.v_channels}, shape};
  PIPESCOPE_CHECK(in.q.count() % static_cast<size_t>(shape.heads) == 0);
  PIPESCOPE_CHECK(in.k.count() % static_cast<size_t>(shape.kv_heads) == 0);
  PIPESCOPE_CHECK(in.k.count() == in.v.count());
  return in;
}

std::span<double> RowOf(std::vector<double>& values, size_t row, size_t columns) {
  return std::span(values).subspan(row * columns, columns);
}

}  // namespace

AttentionResult Attention(std::span<const float> q, std::span<const float> k,
                          std::span<const float> v, const AttentionShape& shape) {
  const Heads in = HeadsOf(q, k, v, shape);
  std::vector<double> out(in.q.count() * in.v.columns());
  std::vector<double> log_sums;
  for (size_t row = 0; row < in.q.count(); ++row) {
    const Seen seen = in.Look(row);
    log_sums.push_back(seen.log_sum);
    const auto o = RowOf(out, row, in.v.columns());
    for (size_t j = 0; j < seen.probabilities.size(); ++j) {
      AddTimes(seen.probabilities[j], in.v[in.KeyRow(row, seen.first + j)], o);
    }
  }
  return {Narrow(out), Narrow(log_sums)};
}

AttentionGradients AttentionInputGradient(std::span<const float> q, std::span<const float> k,
                                          std::span<const float> v, std::span<const float> d_out,
                                          const AttentionShape& shape) {
  const Heads in = HeadsOf(q, k, v, shape);
  const Rows d_o(d_out, shape.v_channels);
  PIPESCOPE_CHECK(d_o.count() == in.q.count());
  std::vector<double> dq(q.size()), dk(k.size()), dv(v.size());
  for (size_t row = 0; row < in.q.count(); ++row) {
    const Seen seen = in.Look(row);
    std::vector<double> dp;
    double along = 0;  // do . o
    for (size_t j = 0; j < seen.probabilities.size(); ++j) {
      dp.push_back(Product(d_o[row], in.v[in.KeyRow(row, seen.first + j)]));
      along += seen.probabilities[j] * dp[j];
    }
    for (size_t j = 0; j < seen.probabilities.size(); ++j) {
      const size_t key = in.KeyRow(row, seen.first + j);
      const double ds = shape.scale * seen.probabilities[j] * (dp[j] - along);
      AddTimes(ds, in.k[key], RowOf(dq, row, in.k.columns()));
      AddTimes(ds, in.q[row], RowOf(dk, key, in.k.columns()));
      AddTimes(seen.probabilities[j], d_o[row], RowOf(dv, key, in.v.columns()));
    }
  }
  return {Narrow(dq), Narrow(dk), Narrow(dv)};
}

}  // namespace pipescope::kernels
