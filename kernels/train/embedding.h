// The embedding: a row of the table for each token, and the gradients added back to their rows.
//
//   y[t] = table[token[t]]          dtable[v] = sum over the t with token[t] = v of dy[t]
//
// The table is [vocabulary][columns], y and dy [tokens][columns]. Tokens have no gradient: this is
// the first operation of a model, with a weight gradient only.
//
// Example: tokens {2, 0, 2} of 3, one column, dy = {1, 2, 4}: dtable = {2, 0, 5}.
// Source: the definition; a product with one-hot rows, and its transpose.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pipescope::kernels {

// Aborts on a token outside the table.
std::vector<float> Embedding(std::span<const float> table, std::span<const int32_t> tokens,
                             int64_t columns);
std::vector<float> EmbeddingWeightGradient(std::span<const int32_t> tokens,
                                           std::span<const float> dy, int64_t vocabulary,
                                           int64_t columns);

}  // namespace pipescope::kernels
