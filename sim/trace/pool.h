// Texts that come again and again, each kept once.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace pipescope::trace {

// Equal texts get equal numbers.
class Pool {
 public:
  explicit Pool(std::vector<std::string>& texts) : texts_(texts) {}
  int32_t Of(const std::string& text) {
    const auto [at, is_new] = numbers_.try_emplace(text, static_cast<int32_t>(texts_.size()));
    if (is_new) {
      texts_.push_back(text);
      bytes_ += static_cast<int64_t>(text.size());
    }
    return at->second;
  }
  int64_t bytes() const { return bytes_; }

 private:
  std::vector<std::string>& texts_;
  std::unordered_map<std::string, int32_t> numbers_;
  int64_t bytes_ = 0;
};

}  // namespace pipescope::trace
