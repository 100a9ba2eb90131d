// What checks share: inputs drawn from a seed, and the comparison of a result with its truth.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/bench/op.h"

namespace pipescope::kernels::bench {

// A few steps of xorshift: the same numbers on every machine, which <random>'s distributions are
// not.
class Draw {
 public:
  explicit Draw(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15U + 0x632be59bd9b4e019U) {}
  uint64_t Bits();
  int64_t Below(int64_t most) { return static_cast<int64_t>(Bits() % static_cast<uint64_t>(most)); }
  float Uniform();  // [-1, 1)
  float Normal();   // the sum of twelve uniform numbers less six: close enough, and portable

 private:
  uint64_t state_;
};

std::vector<float> DrawNormal(Draw& draw, int64_t count, float scale = 1);
// What breaks quantisers: rows of zeros, lone outliers, magnitudes from 2^-40 to 2^40, groups whose
// largest is a power of two, subnormals.
std::vector<float> DrawAdversarial(Draw& draw, int64_t rows, int64_t columns);

// Adds one case: fails where the difference is above the limit or not a number.
void Note(Checked& checked, const std::string& what, std::span<const double> result,
          std::span<const double> truth);
// Fails where two arrays differ in any bit.
void NoteEqual(Checked& checked, const std::string& what, std::span<const uint8_t> result,
               std::span<const uint8_t> truth);
void NoteEqual(Checked& checked, const std::string& what, std::span<const float> result,
               std::span<const float> truth);
void NoteTrue(Checked& checked, const std::string& what, bool holds);

std::vector<double> Widen(std::span<const float> values);

}  // namespace pipescope::kernels::bench
