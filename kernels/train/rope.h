// Rotary position embedding on the last channels of each head, as DeepSeek's models have it: a head
// of q or k is "nope" channels that stay and `rotary` channels that turn (MLA: 128 + 64).
//
// Neighbours (2i, 2i + 1) of the rotary part are one complex number, which turns by an angle in
// radians that grows with the position p of its token:
//
//   angle = p f[i]      f[i] = base^(-2i / rotary)
//   y[2i]     = x[2i] cos(angle) - x[2i + 1] sin(angle)
//   y[2i + 1] = x[2i] sin(angle) + x[2i + 1] cos(angle)
//
// The input gradient turns back by the same angle. There are no weights. x, y, dx, dy are
// [tokens][heads][channels]; a key that all heads share is one head. Frequencies are an argument
// since YaRN changes them (arXiv 2309.00071). Positions are exact up to 2^53.
//
// Some code stores the halves apart instead of neighbours (pairs (i, i + rotary / 2)): the same but
// for a permutation of the weights before it.
//
// Example: one head {5, 6, 1, 0}, rotary 2, position 1: f = {1}, y = {5, 6, 0.5403, 0.8415}.
// Source: Su et al., arXiv 2104.09864, equation 34; decoupled for MLA: arXiv 2405.04434, section
// 2.1.3.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pipescope::kernels {

struct RopeShape {
  int64_t heads = 1;
  int64_t channels = 2;  // of a head, rotary ones included
  int64_t rotary = 2;    // even
};

// [rotary / 2], radians for each position.
std::vector<double> RopeFrequencies(int64_t rotary, double base = 10000);

// One position for each token; aborts where the sizes disagree.
std::vector<float> Rope(std::span<const float> x, std::span<const int64_t> positions,
                        std::span<const double> frequencies, const RopeShape& shape);
std::vector<float> RopeInputGradient(std::span<const float> dy, std::span<const int64_t> positions,
                                     std::span<const double> frequencies, const RopeShape& shape);

}  // namespace pipescope::kernels
