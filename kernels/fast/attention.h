// The attention core with GEMMs: scores of a head, softmax in place, values.
//
// The functions of train/attention.h for queries and keys of one causal sequence, a key head for
// each head and no window; what they compute is said there. A head's scores are one matrix of
// tokens x tokens, of which the part above the diagonal is computed and thrown away. The backward
// pass computes the probabilities again, as the truth does.
#pragma once

#include "kernels/train/attention.h"

namespace pipescope::kernels::fast {

// Aborts where the shape is not such a one.
AttentionResult Attention(std::span<const float> q, std::span<const float> k,
                          std::span<const float> v, const AttentionShape& shape);
AttentionGradients AttentionInputGradient(std::span<const float> q, std::span<const float> k,
                                          std::span<const float> v, std::span<const float> d_out,
                                          const AttentionShape& shape);

}  // namespace pipescope::kernels::fast
