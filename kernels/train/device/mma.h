// Products of BF16 tiles in shared memory, by the tensor core's m16n8k16.
//
// A warp computes 16 rows. Lane 4 g + t (g < 8, t < 4) holds of each eight columns j of a result
// c[j][0..3]: rows g and g + 8, columns 8 j + 2 t and the next. Such results, rounded to BF16, are
// at once the left operand of a next product: what probabilities and their gradients need.
//
// A Team is the warps of a block. It gives
//   warp(), lane(), thread(), threads(), Sync()
//   Load4<turned>(r, row)   four 8 x 8 tiles whose rows the lanes point at, tile i by lanes 8 i to
//                           8 i + 7: r[i] holds of row g columns 2 t and the next; turned, of
//                           rows 2 t and the next column g                      (ldmatrix)
//   Mma(c, a, b0, b1)       c += a b                                            (mma.sync)
//   Pack(low, high)        both rounded to BF16, low in the lower half
//   QuadSum(x), QuadMax(x)  over the four lanes of equal g
// Rows of tiles begin at multiples of 16 bytes; eight values more than their width keep the eight
// rows of a tile in different banks.
//
// Source: PTX ISA 9.0, matrix fragments of mma.m16n8k16 and ldmatrix.
#pragma once

#include "kernels/train/device/block.h"

namespace pipescope::kernels::device {

// Of a row of `width` values in shared memory.
template <int width>
inline constexpr int kPadded = width + 8;

template <int columns>
struct Result {
  float v[columns / 8][4];
};

template <int n>
PIPESCOPE_BOTH void Clear(Result<n>& c) {
  PIPESCOPE_UNROLL
  for (int j = 0; j < n / 8; ++j) {
    PIPESCOPE_UNROLL
    for (int e = 0; e < 4; ++e) c.v[j][e] = 0;
  }
}

// c [16][n] += a [16][k] b [n][k]', both padded.
template <int k, int n, class Team>
PIPESCOPE_BOTH void MultiplyRows(Team& team, Result<n>& c, const Bf16* a, const Bf16* b) {
  static_assert(k % 16 == 0 && n % 16 == 0);
  const int lane = team.lane();
  const Bf16* of_a = a + lane % 16 * kPadded<k> + lane / 16 * 8;
  const Bf16* of_b = b + (lane / 16 * 8 + lane % 8) * kPadded<k> + lane / 8 % 2 * 8;
  PIPESCOPE_UNROLL
  for (int i = 0; i < k; i += 16) {
    uint32_t left[4];
    team.template Load4<false>(left, of_a + i);
    PIPESCOPE_UNROLL
    for (int j = 0; j < n / 8; j += 2) {
      uint32_t right[4];
      team.template Load4<false>(right, of_b + j * 8 * kPadded<k> + i);
      team.Mma(c.v[j], left, right[0], right[1]);
      team.Mma(c.v[j + 1], left, right[2], right[3]);
    }
  }
}

// c [16][n] += p [16][k] b [k][n], p a result of before, b padded.
template <int k, int n, class Team>
PIPESCOPE_BOTH void MultiplyDown(Team& team, Result<n>& c, const Result<k>& p, const Bf16* b) {
  static_assert(k % 16 == 0 && n % 16 == 0);
  const int lane = team.lane();
  const Bf16* of_b = b + lane % 16 * kPadded<n> + lane / 16 * 8;
  PIPESCOPE_UNROLL
  for (int i = 0; i < k / 8; i += 2) {
    const uint32_t left[4] = {team.Pack(p.v[i][0], p.v[i][1]), team.Pack(p.v[i][2], p.v[i][3]),
                              team.Pack(p.v[i + 1][0], p.v[i + 1][1]),
                              team.Pack(p.v[i + 1][2], p.v[i + 1][3])};
    PIPESCOPE_UNROLL
    for (int j = 0; j < n / 8; j += 2) {
      uint32_t right[4];
      team.template Load4<true>(right, of_b + i * 8 * kPadded<n> + j * 8);
      team.Mma(c.v[j], left, right[0], right[1]);
      team.Mma(c.v[j + 1], left, right[2], right[3]);
    }
  }
}

// Rows of `width` values, `stride` apart in memory, into a padded tile; zeros from `there` on.
template <int width, class Team>
PIPESCOPE_BOTH void LoadTile(Team& team, Bf16* to, const Bf16* from, int64_t stride, int rows,
                             int64_t there) {
  constexpr int kPacks = width / kWide<Bf16>;
  for (int i = team.thread(); i < rows * kPacks; i += team.threads()) {
    const int row = i / kPacks, c = i % kPacks * kWide<Bf16>;
    Packed<Bf16> pack = {};
    if (row < there) pack = *reinterpret_cast<const Packed<Bf16>*>(from + row * stride + c);
    *reinterpret_cast<Packed<Bf16>*>(to + row * kPadded<width> + c) = pack;
  }
}

template <int width, class Team>
PIPESCOPE_BOTH void StoreTile(Team& team, const Bf16* from, Bf16* to, int64_t stride, int rows,
                              int64_t there) {
  constexpr int kPacks = width / kWide<Bf16>;
  for (int i = team.thread(); i < rows * kPacks; i += team.threads()) {
    const int row = i / kPacks, c = i % kPacks * kWide<Bf16>;
    if (row >= there) continue;
    *reinterpret_cast<Packed<Bf16>*>(to + row * stride + c) =
        *reinterpret_cast<const Packed<Bf16>*>(from + row * kPadded<width> + c);
  }
}

// A warp's 16 rows of a result into a padded tile; `by` are the factors of rows g and g + 8.
template <int width, class Team>
PIPESCOPE_BOTH void PutResult(Team& team, const Result<width>& c, const float (&by)[2], Bf16* to) {
  struct alignas(4) Pair {
    uint32_t code;
  };
  const int row = team.lane() / 4, column = team.lane() % 4 * 2;
  PIPESCOPE_UNROLL
  for (int j = 0; j < width / 8; ++j) {
    PIPESCOPE_UNROLL
    for (int half = 0; half < 2; ++half) {
      Bf16* at = to + (row + 8 * half) * kPadded<width> + 8 * j + column;
      const uint32_t code = team.Pack(by[half] * c.v[j][2 * half], by[half] * c.v[j][2 * half + 1]);
      *reinterpret_cast<Pair*>(at) = Pair{code};
    }
  }
}

}  // namespace pipescope::kernels::device
