#include "sim/flow/route_pool.h"

#include <cstring>
#include <utility>

namespace pipescope::flow {

RoutePool::Word* RoutePool::TakeWords(size_t words) {
  if (words > kMostWords) return new Word[words];
  if (Word* const block = free_[words]; block != nullptr) {
    std::memcpy(&free_[words], block, sizeof(Word*));
    return block;
  }
  if (left_ < words) {
    slabs_.push_back(std::make_unique<Word[]>(kSlab));
    next_ = slabs_.back().get();
    left_ = kSlab;
  }
  left_ -= words;
  return std::exchange(next_, next_ + words);
}

RouteBlock RoutePool::Take(int32_t count, bool weighted) {
  Word* const words = TakeWords(Words(count, weighted));
  Word* const links = words + (weighted ? count : 0);
  return {new (links) int32_t[static_cast<size_t>(count)], weighted ? words : nullptr};
}

void RoutePool::GiveBack(const RouteBlock& block, int32_t count) {
  const bool weighted = block.weights != nullptr;
  Word* const words = weighted ? block.weights : reinterpret_cast<Word*>(block.links);
  const size_t size = Words(count, weighted);
  if (size > kMostWords) {
    delete[] words;
    return;
  }
  std::memcpy(words, &free_[size], sizeof(Word*));
  free_[size] = words;
}

}  // namespace pipescope::flow
