// Memory for short routes that come and go by the million: blocks of a few words, in slabs by their
// size, so that one of three links takes 16 bytes and no bookkeeping. What is given back is used
// again for a block of the same size; slabs are kept until the end.
//
// Example: 1.05 million routes of 2 links are 8.4 MB, as vectors of their own 67 MB and more.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace pipescope::flow {

// `count` links, and as many weights where it is weighted.
struct RouteBlock {
  int32_t* links = nullptr;
  double* weights = nullptr;  // nullptr: all 1
};

class RoutePool {
 public:
  RouteBlock Take(int32_t count, bool weighted);
  // What Take returned for this count.
  void GiveBack(const RouteBlock& block, int32_t count);

 private:
  static constexpr size_t kMostWords = 32;  // longer blocks are the heap's
  static constexpr size_t kSlab = 4096;     // words
  using Word = double;

  static size_t Words(int32_t count, bool weighted) {
    const auto links = static_cast<size_t>(count);
    return (weighted ? links : 0) + (links + 1) / 2;
  }
  Word* TakeWords(size_t words);

  std::vector<std::unique_ptr<Word[]>> slabs_;
  std::array<Word*, kMostWords + 1> free_ = {};  // by size; each holds the address of the next
  Word* next_ = nullptr;                         // what is left of the last slab
  size_t left_ = 0;
};

}  // namespace pipescope::flow
