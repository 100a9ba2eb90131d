// Rows of BF16 added up in FP32, in order, from +0, and rounded once.
#pragma once

#include <cstring>

#include "kernels/bf16_code.h"
#include "kernels/exchange/row.h"

namespace pipescope::kernels::exchange {

// Eight values of BF16: what a lane loads and stores at once.
struct alignas(16) Eight {
  uint32_t pairs[4];
};

// A row that combine returns, into a slot: values, then weights.
template <class Fabric>
PIPESCOPE_BOTH void WriteResult(const Rank& rank, Fabric& f, int64_t row, std::byte* slot) {
  const int64_t bytes = 2 * int64_t{rank.config.hidden};
  f.Copy(slot, rank.back.values + row * bytes, bytes);
  if (!rank.with_weights) return;
  auto* weights = reinterpret_cast<float*>(slot + bytes);
  CopyWords(f, weights, rank.back.weights + row * rank.config.selected, rank.config.selected);
}

// Where a sum goes: values and, if not null, weights.
struct Target {
  std::byte* values = nullptr;
  float* weights = nullptr;
};

// The rank's result for `token`, or where that is negative a slot of a ring.
PIPESCOPE_BOTH Target TargetOf(const Rank& rank, int token, std::byte* slot) {
  const bool weights = rank.with_weights;
  const int64_t bytes = 2 * int64_t{rank.config.hidden};
  if (token < 0) return {slot, weights ? reinterpret_cast<float*>(slot + bytes) : nullptr};
  return {rank.back.sums + token * bytes,
          weights ? rank.back.weight_sums + int64_t{token} * rank.config.selected : nullptr};
}

// The rows of a sum, in order. Each address lives in one lane's register: 20 pointers a lane would
// not fit its registers.
template <class Fabric>
class Addends {
 public:
  PIPESCOPE_BOTH void Append(const std::byte* slot) {
    slots_.Set(count_, reinterpret_cast<uint64_t>(slot));
    ++count_;
  }
  PIPESCOPE_BOTH int count() const { return count_; }
  PIPESCOPE_BOTH const std::byte* Get(int k) const {
    return reinterpret_cast<const std::byte*>(slots_.Get(k));
  }

 private:
  typename Fabric::Counters slots_;
  int count_ = 0;
};

// Adds eight values of each of up to kTogether rows, from `first` on, to `sum`: a lane has the
// loads of all of them in flight at once. All lanes take part; those past the end load nothing.
template <class Fabric>
PIPESCOPE_BOTH void AddEights(Fabric& f, const Addends<Fabric>& rows, int first, int64_t at,
                              bool inside, float (&sum)[8]) {
  constexpr int kTogether = kMostLocals;
  Eight loaded[kTogether];
  PIPESCOPE_UNROLL
  for (int k = 0; k < kTogether; ++k) {
    if (first + k >= rows.count()) break;
    const std::byte* from = rows.Get(first + k);
    if (inside) loaded[k] = f.Load(from + at);
  }
  PIPESCOPE_UNROLL
  for (int k = 0; k < kTogether; ++k) {
    if (first + k >= rows.count() || !inside) break;
    PIPESCOPE_UNROLL
    for (int v = 0; v < 4; ++v) {
      sum[2 * v] += FromBf16(loaded[k].pairs[v] & 0xffffU);
      sum[2 * v + 1] += FromBf16(loaded[k].pairs[v] >> 16);
    }
  }
}

template <class Fabric>
PIPESCOPE_BOTH void SumRows(const Rank& rank, Fabric& f, const Addends<Fabric>& rows, Target to) {
  const int64_t bytes = 2 * int64_t{rank.config.hidden};
  for (int64_t all = 0; all < bytes; all += 16 * Fabric::kLanes) {
    const int64_t at = all + 16 * f.lane();
    float sum[8] = {};
    for (int first = 0; first < rows.count(); first += kMostLocals) {
      AddEights(f, rows, first, at, at < bytes, sum);
    }
    Eight result;
    PIPESCOPE_UNROLL
    for (int v = 0; v < 4; ++v) result.pairs[v] = ToBf16(sum[2 * v]) | ToBf16(sum[2 * v + 1]) << 16;
    if (at < bytes) f.Store(to.values + at, result);
  }
  if (to.weights == nullptr) return;
  for (int all = 0; all < rank.config.selected; all += Fabric::kLanes) {
    const int i = all + f.lane();
    const bool inside = i < rank.config.selected;
    float sum = 0;
    for (int k = 0; k < rows.count(); ++k) {
      const std::byte* from = rows.Get(k) + bytes;
      if (inside) sum += reinterpret_cast<const float*>(from)[i];
    }
    if (inside) to.weights[i] = sum;
  }
}

}  // namespace pipescope::kernels::exchange
