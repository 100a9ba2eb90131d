#include "kernels/transformer/text.h"

#include <algorithm>
#include <random>

namespace pipescope::transformer {
namespace {

constexpr size_t kWords = 40;
constexpr size_t kTokens = 1 << 16;
constexpr int64_t kStride = 4099;  // a prime: micro-batches begin all over the text

}  // namespace

Text::Text(uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<std::vector<int32_t>> words(kWords);
  std::vector<double> until(kWords);  // cumulated shares
  double sum = 0;
  for (size_t w = 0; w < kWords; ++w) {
    for (size_t length = 2 + engine() % 5; length > 0; --length) {
      words[w].push_back(static_cast<int32_t>(1 + engine() % 26));
    }
    until[w] = sum += 1 / static_cast<double>(w + 1);
  }
  while (tokens_.size() < kTokens) {
    const double at = static_cast<double>(engine()) / 4294967296.0 * sum;
    const auto word = std::upper_bound(until.begin(), until.end(), at) - until.begin();
    const auto& letters = words[static_cast<size_t>(word)];
    tokens_.insert(tokens_.end(), letters.begin(), letters.end());
    tokens_.push_back(0);
  }
}

std::vector<int32_t> Text::Read(int64_t index, int64_t count) const {
  std::vector<int32_t> read;
  const int64_t size = static_cast<int64_t>(tokens_.size());
  for (int64_t i = 0; i < count; ++i) {
    read.push_back(tokens_[static_cast<size_t>((index * kStride + i) % size)]);
  }
  return read;
}

}  // namespace pipescope::transformer
