// Which links may share a variable: a set for each link, never too small.
//
// A set is 2048 bits, one for each remainder of a link's number, so that it is exact in networks of
// as many links. What was put in stays until the link's set is cleared. A link of a cap, or one
// with a variable of very many links, is taken to meet every other.
//
// Example: in an all-to-all a sender's link meets the receivers' links, and no other sender's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pipescope::flow {

class Neighbours {
 public:
  explicit Neighbours(size_t links) : sets_(links) {}

  bool Meet(int32_t a, int32_t b) const {
    const auto at = static_cast<size_t>(a), other = static_cast<size_t>(b);
    if (at >= sets_.size() || other >= sets_.size()) return true;
    return sets_[at].all || sets_[other].all || ((sets_[at].bits[Word(b)] >> (b % 64)) & 1) != 0;
  }
  // A variable crosses all of these.
  void Add(const int32_t* links, int32_t count) {
    for (int32_t i = 0; i < count; ++i) {
      if (static_cast<size_t>(links[i]) >= sets_.size()) continue;
      Set& set = sets_[static_cast<size_t>(links[i])];
      for (int32_t j = 0; j < count; ++j)
        set.bits[Word(links[j])] |= uint64_t{1} << (links[j] % 64);
    }
  }
  void AddAll(int32_t link) {
    if (static_cast<size_t>(link) < sets_.size()) sets_[static_cast<size_t>(link)].all = true;
  }
  void Clear(int32_t link) {
    if (static_cast<size_t>(link) < sets_.size()) sets_[static_cast<size_t>(link)] = {};
  }

 private:
  static constexpr int32_t kBits = 2048;
  static size_t Word(int32_t link) { return static_cast<size_t>(link % kBits / 64); }
  struct Set {
    std::array<uint64_t, kBits / 64> bits = {};
    bool all = false;
  };

  std::vector<Set> sets_;
};

}  // namespace pipescope::flow
