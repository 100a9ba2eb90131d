// Text to train on, made by the machine: words of a fixed list, drawn by Zipf's law, with spaces.
//
// A model of single letters comes to about 2.9 nats a token of 27; one that has learnt the words
// much lower, since after a few letters the word is known. Uniform is ln(27) = 3.30. So a falling
// loss says that something was learnt. The same seed gives the same text on every machine.
//
// Example: tokens are 0 for a space and 1 to 26 for a to z.
#pragma once

#include <cstdint>
#include <vector>

namespace pipescope::transformer {

class Text {
 public:
  explicit Text(uint32_t seed);

  // `count` tokens of the text from where micro-batch `index` of all time begins.
  std::vector<int32_t> Read(int64_t index, int64_t count) const;

 private:
  std::vector<int32_t> tokens_;
};

}  // namespace pipescope::transformer
