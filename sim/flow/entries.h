// What crosses a link, by the length of its route, those that the link owns first.
//
// An entry is a variable and the other links of its route, in place, so that a link is filled from
// one stretch of memory, front to back. While nothing changes its order against the links it shares
// variables with, filling reads only what the link owns.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace pipescope::flow {

constexpr int32_t kIndirect = -1;  // weighted, or a long route: to be read from the variable

class Entries {
 public:
  explicit Entries(int32_t others) : others_(others) {}

  int32_t others() const { return others_; }  // links of a route but this one, or kIndirect
  size_t size() const { return size_; }
  size_t owned() const { return owned_; }
  int32_t variable(size_t i) const { return data_[i * stride()]; }
  const int32_t* links(size_t i) const { return data_.data() + i * stride() + 1; }
  // An entry's variable, followed by the links; the next entry is others() + 1 further.
  const int32_t* data() const { return data_.data(); }

  void Add(int32_t variable, const int32_t* route, int32_t here) {
    ++size_;
    data_.push_back(variable);
    for (int32_t k = 0; k <= others_; ++k) {
      if (route[k] != here) data_.push_back(route[k]);
    }
  }
  // Entry i is owned from now on; it changes places with the first that is not.
  void Own(size_t i) { Swap(i, owned_++); }
  // Entry i is owned no more; it changes places with the last that is.
  void Disown(size_t i) { Swap(i, --owned_); }
  // Keeps the entries whose variable fits, in order.
  template <class Fits>
  void Keep(Fits fits) {
    size_t kept = 0;
    size_t owned = 0;
    for (size_t i = 0; i < size(); ++i) {
      if (!fits(variable(i))) continue;
      owned += i < owned_;
      if (kept != i) std::copy_n(Begin(i), stride(), Begin(kept));
      ++kept;
    }
    data_.resize(kept * stride());
    size_ = kept;
    owned_ = owned;
  }

 private:
  size_t stride() const { return static_cast<size_t>(1 + std::max(0, others_)); }
  int32_t* Begin(size_t i) { return data_.data() + i * stride(); }
  void Swap(size_t i, size_t j) {
    if (i != j) std::swap_ranges(Begin(i), Begin(i) + stride(), Begin(j));
  }

  int32_t others_;
  size_t size_ = 0;
  size_t owned_ = 0;
  std::vector<int32_t> data_;
};

}  // namespace pipescope::flow
