#include "kernels/train/permute.h"

#include <functional>
#include <numeric>

#include "kernels/train/rows.h"

namespace pipescope::kernels {
namespace {

// [rows]: each row is its slot's token times the slot's weight; all weights are 1 if none are
// given.
std::vector<float> Spread(std::span<const float> tokens, std::span<const float> weights,
                          const Permutation& by, int64_t columns) {
  const Rows from(tokens, columns);
  const size_t selected = static_cast<size_t>(by.selected);
  PIPESCOPE_CHECK(from.count() * selected == by.rows_of.size());
  PIPESCOPE_CHECK(weights.empty() || weights.size() == by.rows_of.size());
  std::vector<double> rows(by.slots.size() * from.columns());
  for (size_t r = 0; r < by.slots.size(); ++r) {
    if (by.slots[r] < 0) continue;
    const size_t slot = static_cast<size_t>(by.slots[r]);
    const double weight = weights.empty() ? 1 : weights[slot];
    for (size_t c = 0; c < from.columns(); ++c) {
      rows[r * from.columns() + c] = weight * from[slot / selected][c];
    }
  }
  return Narrow(rows);
}

// [tokens]: the sum of the rows of each token's slots, times their weights if any are given.
std::vector<float> Gather(std::span<const float> rows, std::span<const float> weights,
                          const Permutation& by, int64_t columns) {
  const Rows from(rows, columns);
  const size_t selected = static_cast<size_t>(by.selected);
  PIPESCOPE_CHECK(from.count() == by.slots.size());
  PIPESCOPE_CHECK(weights.empty() || weights.size() == by.rows_of.size());
  std::vector<double> tokens(by.rows_of.size() / selected * from.columns());
  for (size_t slot = 0; slot < by.rows_of.size(); ++slot) {
    if (by.rows_of[slot] < 0) continue;
    const auto row = from[static_cast<size_t>(by.rows_of[slot])];
    const double weight = weights.empty() ? 1 : weights[slot];
    for (size_t c = 0; c < row.size(); ++c) {
      tokens[slot / selected * from.columns() + c] += weight * row[c];
    }
  }
  return Narrow(tokens);
}

}  // namespace

Permutation MakePermutation(std::span<const int32_t> chosen, int64_t selected, int64_t experts,
                            int64_t alignment) {
  PIPESCOPE_CHECK(selected > 0 && experts > 0 && alignment > 0);
  PIPESCOPE_CHECK(chosen.size() % static_cast<size_t>(selected) == 0);
  Permutation by;
  by.selected = selected;
  by.counts.resize(static_cast<size_t>(experts));
  for (const int32_t expert : chosen) {
    PIPESCOPE_CHECK(-1 <= expert && expert < experts);
    if (expert >= 0) ++by.counts[static_cast<size_t>(expert)];
  }
  by.offsets.push_back(0);
  for (const int64_t count : by.counts) {
    by.offsets.push_back(by.offsets.back() + (count + alignment - 1) / alignment * alignment);
  }
  by.slots.assign(static_cast<size_t>(by.offsets.back()), -1);
  std::vector<int64_t> next = by.offsets;
  for (size_t slot = 0; slot < chosen.size(); ++slot) {
    by.rows_of.push_back(chosen[slot] < 0 ? -1 : next[static_cast<size_t>(chosen[slot])]++);
    if (chosen[slot] < 0) continue;
    by.slots[static_cast<size_t>(by.rows_of.back())] = static_cast<int64_t>(slot);
  }
  return by;
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
  const Rows gradients(dy, columns), from(rows, columns);
  const size_t selected = static_cast<size_t>(by.selected);
  PIPESCOPE_CHECK(gradients.count() * selected == by.rows_of.size());
  PIPESCOPE_CHECK(from.count() == by.slots.size());
  std::vector<double> d_weights(by.rows_of.size());
  for (size_t slot = 0; slot < d_weights.size(); ++slot) {
    if (by.rows_of[slot] < 0) continue;
    const auto row = from[static_cast<size_t>(by.rows_of[slot])];
    const auto gradient = gradients[slot / selected];
    d_weights[slot] = std::inner_product(row.begin(), row.end(), gradient.begin(), 0.0,
                                         std::plus<>(), [](double a, double b) { return a * b; });
  }
  return Narrow(d_weights);
}

}  // namespace pipescope::kernels
