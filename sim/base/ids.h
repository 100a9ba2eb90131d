// Indices that cannot be mixed up: a rank is not a stage.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace pipescope {

template <class Tag>
class Id {
 public:
  constexpr Id() = default;
  constexpr explicit Id(int32_t value) : value_(value) {}
  constexpr int32_t value() const { return value_; }
  constexpr size_t index() const { return static_cast<size_t>(value_); }
  friend constexpr auto operator<=>(Id a, Id b) = default;

 private:
  int32_t value_ = -1;  // -1: none
};

using RankId = Id<struct RankTag>;    // a pipeline rank
using StageId = Id<struct StageTag>;  // a slice of layers, in model order
using MicrobatchId = Id<struct MicrobatchTag>;

}  // namespace pipescope
