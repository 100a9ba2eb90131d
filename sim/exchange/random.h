// A random number generator of our own, so that equal seeds give equal draws on every platform:
// SplitMix64 (Steele, Lea and Flood 2014). The standard library's distributions do not promise so.
#pragma once

#include <cstdint>

namespace pipescope::exchange {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Bits() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // Uniform in (0, 1), ends excluded.
  double Uniform() { return (static_cast<double>(Bits() >> 11) + 0.5) * 0x1p-53; }

 private:
  uint64_t state_;
};

}  // namespace pipescope::exchange
