// A row in a slot of dispatch's rings, as config.h lays it out:
//
//   values | header, 16 bytes | scales | expert ids | weights | padding to 16
//
// The header says whose token it is and which GPUs of the node want it.
#pragma once

#include "kernels/exchange/plan.h"
#include "kernels/exchange/ring.h"

namespace pipescope::kernels::exchange {

struct RowHeader {
  int32_t node = 0;  // of its home
  int32_t local = 0;
  int32_t token = 0;
  uint32_t locals = 0;  // a bit for each GPU of the node it was sent to
};
static_assert(sizeof(RowHeader) == 16);

// All lanes get the same.
PIPESCOPE_BOTH RowHeader HeaderOf(const Config& g, const std::byte* slot) {
  return *reinterpret_cast<const RowHeader*>(slot + g.value_bytes());
}

template <class Fabric, class Word>
PIPESCOPE_BOTH void CopyWords(Fabric& f, Word* to, const Word* from, int count) {
  for (int i = f.lane(); i < count; i += Fabric::kLanes) to[i] = from[i];
}

// From the rank's input into a slot, near or own.
template <class Fabric>
PIPESCOPE_BOTH void WriteRow(const Rank& rank, Fabric& f, int token, int reach, std::byte* slot) {
  const Config& g = rank.config;
  f.Copy(slot, rank.in.values + token * g.value_bytes(), g.value_bytes());
  std::byte* at = slot + g.value_bytes();
  if (f.lane() == 0) {
    *reinterpret_cast<RowHeader*>(at) = {rank.node, rank.local, token,
                                         static_cast<uint32_t>(reach)};
  }
  auto* scales = reinterpret_cast<float*>(at + sizeof(RowHeader));
  CopyWords(f, scales, rank.in.scales + int64_t{token} * g.scales(), g.scales());
  if (!rank.with_experts) return;
  const int64_t first = int64_t{token} * g.selected;
  auto* experts = reinterpret_cast<int32_t*>(scales + g.scales());
  CopyWords(f, experts, rank.in.experts + first, g.selected);
  auto* weights = reinterpret_cast<float*>(experts + g.selected);
  CopyWords(f, weights, rank.in.weights + first, g.selected);
}

// From a slot to row `row` of the rank's output.
template <class Fabric>
PIPESCOPE_BOTH void ReadRow(const Rank& rank, Fabric& f, const std::byte* slot,
                            const RowHeader& header, int64_t row) {
  const Config& g = rank.config;
  f.Copy(rank.out.values + row * g.value_bytes(), slot, g.value_bytes());
  if (f.lane() == 0) {
    rank.out.sources[row] = {g.RankOf(header.node, header.local), header.token};
  }
  const auto* scales = reinterpret_cast<const float*>(slot + g.value_bytes() + sizeof(RowHeader));
  CopyWords(f, rank.out.scales + row * g.scales(), scales, g.scales());
  if (!rank.with_experts) return;
  const auto* experts = reinterpret_cast<const int32_t*>(scales + g.scales());
  const auto* weights = reinterpret_cast<const float*>(experts + g.selected);
  const int first = g.RankOf(rank.node, rank.local) * g.experts_of_rank();
  for (int k = f.lane(); k < g.selected; k += Fabric::kLanes) {
    const int expert = experts[k] - first;
    const bool here = expert >= 0 && expert < g.experts_of_rank();
    rank.out.experts[row * g.selected + k] = here ? expert : -1;
    rank.out.weights[row * g.selected + k] = here ? weights[k] : 0.0F;
  }
}

}  // namespace pipescope::kernels::exchange
