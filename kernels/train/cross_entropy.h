// Cross-entropy of logits: how surprised the model is by each next token, in nats.
//
//   L[t] = ln(sum over v of e^z[t][v]) - z[t][target[t]]
//   dz[t][v] = dL[t] (e^z[t][v] / sum over j of e^z[t][j] - (v == target[t] ? 1 : 0))
//
// The head's GEMM, which makes the logits z, is not part of it. z and dz are [tokens][vocabulary],
// L and dL [tokens]. The mean over tokens is dL = 1 / tokens. A target of kNoTarget (padding, the
// end of a document) has loss and gradient 0 whatever its logits. The row's largest logit is taken
// off before e^: no finite logits overflow, and -infinity is a token that cannot be.
//
// Example: z = {0, ln 3}, target 0: L = ln 4 = 1.3863, dz = {-3/4, 3/4}.
// Source: the negative log-likelihood of a softmax; Bridle, "Probabilistic interpretation of
// feedforward classification network outputs", 1990.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pipescope::kernels {

inline constexpr int32_t kNoTarget = -1;

// Aborts on a target outside the vocabulary.
std::vector<float> CrossEntropy(std::span<const float> logits, std::span<const int32_t> targets,
                                int64_t vocabulary);
std::vector<float> CrossEntropyInputGradient(std::span<const float> logits,
                                             std::span<const int32_t> targets,
                                             std::span<const float> d_losses, int64_t vocabulary);

}  // namespace pipescope::kernels
