// The element-wise layers and the ends of a model as real runs need them: the functions of
// kernels/train with the same names, arguments and results, in FP32 throughout.
//
// What each computes is said there. Sums along a row run in lanes of 16 floats, so that a result
// differs from the truth's by about 2^-24 a term and is the same bits on every call. AdamW rounds
// its moments to BF16 as the truth does; where FP32 and double fall on different sides of a tie the
// stored moment differs by one spacing.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/train/adamw.h"
#include "kernels/train/permute.h"
#include "kernels/train/rms_norm.h"
#include "kernels/train/rope.h"

namespace pipescope::kernels::fast {

std::vector<float> RmsNorm(std::span<const float> x, std::span<const float> weight,
                           double epsilon = kRmsNormEpsilon);
std::vector<float> RmsNormInputGradient(std::span<const float> x, std::span<const float> weight,
                                        std::span<const float> dy,
                                        double epsilon = kRmsNormEpsilon);
std::vector<float> RmsNormWeightGradient(std::span<const float> x, std::span<const float> dy,
                                         int64_t columns, double epsilon = kRmsNormEpsilon);

std::vector<float> SwiGlu(std::span<const float> x, int64_t columns);
std::vector<float> SwiGluInputGradient(std::span<const float> x, std::span<const float> dy,
                                       int64_t columns);

// Turns every head of every token by its angle; sines and cosines are made once a token.
std::vector<float> Rope(std::span<const float> x, std::span<const int64_t> positions,
                        std::span<const double> frequencies, const RopeShape& shape);
std::vector<float> RopeInputGradient(std::span<const float> dy, std::span<const int64_t> positions,
                                     std::span<const double> frequencies, const RopeShape& shape);

std::vector<float> CrossEntropy(std::span<const float> logits, std::span<const int32_t> targets,
                                int64_t vocabulary);
std::vector<float> CrossEntropyInputGradient(std::span<const float> logits,
                                             std::span<const int32_t> targets,
                                             std::span<const float> d_losses, int64_t vocabulary);

std::vector<float> Permute(std::span<const float> x, const Permutation& by, int64_t columns);
std::vector<float> PermuteInputGradient(std::span<const float> d_rows, const Permutation& by,
                                        int64_t columns);
std::vector<float> Unpermute(std::span<const float> rows, std::span<const float> weights,
                             const Permutation& by, int64_t columns);
std::vector<float> UnpermuteInputGradient(std::span<const float> dy, std::span<const float> weights,
                                          const Permutation& by, int64_t columns);
std::vector<float> UnpermuteWeightGradient(std::span<const float> dy, std::span<const float> rows,
                                           const Permutation& by, int64_t columns);

void AdamWStep(const AdamW& adamw, int64_t step, std::span<const float> gradient,
               std::span<float> weights, std::span<uint16_t> first_moment,
               std::span<uint16_t> second_moment);

}  // namespace pipescope::kernels::fast
