// Attention for GPUs, forward: the equations, arrays and masks are kernels/train/attention.h's.
//
// A block takes 16 queries a warp of one head and walks over the keys that any of them sees, 64 at
// a time. Of the scores so far a row keeps its maximum m and sum s; where a new tile raises m, what
// was summed is scaled by 2^(m_old - m_new), so that the scores are never in memory:
//
//   p = 2^(x - m)     x = scores times scale log2(e)      o = sum p v / s      l = (m + log2 s) ln
//   2
//
// p is rounded to BF16 before it meets v, as FlashAttention's is. Tiles without a seen key are not
// touched: a window costs what it sees. Bytes at least, of a head of n tokens: n (2 qk + 2 v) read
// and written, but keys come once for each 16 warps' queries, from L2.
//
// Source: Milakov and Gimelshein, arXiv 1805.02867; Dao, arXiv 2307.08691, algorithm 1.
#pragma once

#include "kernels/train/device/mma.h"

namespace pipescope::kernels::device {

inline constexpr float kLog2E = 1.44269504F, kLn2 = 0.69314718F;

struct AttentionSizes {
  int64_t queries = 0, keys = 0;
  int64_t heads = 1, kv_heads = 1;  // kv_heads divides heads
  int64_t window = INT64_MAX;
  bool causal = true;
  float scale = 1;
};

struct AttentionInput {
  AttentionSizes sizes;
  const Bf16 *q, *k, *v;
};

struct KeySpan {
  int64_t first, end;
  PIPESCOPE_BOTH bool Holds(int64_t key) const { return first <= key && key < end; }
};

PIPESCOPE_BOTH KeySpan KeysOf(const AttentionSizes& s, int64_t query) {
  const int64_t end = s.causal ? query + s.keys - s.queries + 1 : s.keys;
  return {end > s.window ? end - s.window : 0, end};
}

// Whom queries first to last - 1 see together.
PIPESCOPE_BOTH KeySpan KeysOf(const AttentionSizes& s, int64_t first, int64_t last) {
  return {KeysOf(s, first).first, KeysOf(s, (last < s.queries ? last : s.queries) - 1).end};
}

inline constexpr int kKeyTile = 64;

template <int warps, int qk, int v>
struct alignas(16) AttentionShared {
  Bf16 q[16 * warps * kPadded<qk>];
  Bf16 k[kKeyTile * kPadded<qk>];
  Bf16 v_or_out[(kKeyTile > 16 * warps ? kKeyTile : 16 * warps) * kPadded<v>];
};

// What a lane keeps of its two rows.
struct SoftmaxRows {
  float largest[2] = {-INFINITY, -INFINITY};
  float sum[2] = {0, 0};  // of this lane's columns
};

// Scores become probabilities up to the rows' sums; returns by what earlier sums are to be scaled.
template <class Team>
PIPESCOPE_BOTH void SoftmaxTile(Team& team, Result<kKeyTile>& s, const KeySpan (&seen)[2],
                                int64_t first_key, float scale, SoftmaxRows& rows, float (&by)[2]) {
  PIPESCOPE_UNROLL
  for (int half = 0; half < 2; ++half) {
    float largest = rows.largest[half];
    PIPESCOPE_UNROLL
    for (int j = 0; j < kKeyTile / 8; ++j) {
      PIPESCOPE_UNROLL
      for (int e = 2 * half; e < 2 * half + 2; ++e) {
        const int64_t key = first_key + 8 * j + team.lane() % 4 * 2 + e % 2;
        s.v[j][e] = seen[half].Holds(key) ? s.v[j][e] * scale : -INFINITY;
        largest = fmaxf(largest, s.v[j][e]);
      }
    }
    largest = team.QuadMax(largest);
    const float base = largest == -INFINITY ? 0 : largest;  // no key seen yet
    by[half] = exp2f(rows.largest[half] - base);
    rows.largest[half] = largest;
    rows.sum[half] *= by[half];
    PIPESCOPE_UNROLL
    for (int j = 0; j < kKeyTile / 8; ++j) {
      PIPESCOPE_UNROLL
      for (int e = 2 * half; e < 2 * half + 2; ++e) {
        s.v[j][e] = exp2f(s.v[j][e] - base);
        rows.sum[half] += s.v[j][e];
      }
    }
  }
}

// l of rows `row` and row + 8, and by what their sums are to be scaled.
template <class Team>
PIPESCOPE_BOTH void SoftmaxEnd(Team& team, const AttentionSizes& s, const SoftmaxRows& rows,
                               int64_t head, int64_t row, float* log_sums, float (&by)[2]) {
  PIPESCOPE_UNROLL
  for (int half = 0; half < 2; ++half) {
    const float total = team.QuadSum(rows.sum[half]);
    by[half] = total > 0 ? 1 / total : 0;
    const int64_t query = row + 8 * half;
    if (team.lane() % 4 == 0 && query < s.queries) {
      log_sums[query * s.heads + head] = (rows.largest[half] + log2f(total)) * kLn2;
    }
  }
}

template <int n>
PIPESCOPE_BOTH void ScaleRows(Result<n>& c, const float (&by)[2]) {
  PIPESCOPE_UNROLL
  for (int j = 0; j < n / 8; ++j) {
    PIPESCOPE_UNROLL
    for (int e = 0; e < 4; ++e) c.v[j][e] *= by[e / 2];
  }
}

// Queries `first` to first + 16 warps of one head. `log_sums`: [queries][heads].
template <int warps, int qk, int v, class Team>
PIPESCOPE_BOTH void AttentionForward(Team& team, const AttentionInput& in, Bf16* out,
                                     float* log_sums, AttentionShared<warps, qk, v>& at,
                                     int64_t head, int64_t first) {
  const AttentionSizes& s = in.sizes;
  constexpr int kRows = 16 * warps;
  const int64_t kv_head = head / (s.heads / s.kv_heads), there = s.queries - first;
  const int64_t row = first + 16 * team.warp() + team.lane() / 4;
  const KeySpan all = KeysOf(s, first, first + kRows);
  const KeySpan seen[2] = {KeysOf(s, row), KeysOf(s, row + 8)};
  LoadTile<qk>(team, at.q, in.q + (first * s.heads + head) * qk, s.heads * qk, kRows, there);
  Result<v> sum;
  Clear(sum);
  SoftmaxRows rows;
  for (int64_t key = all.first / kKeyTile * kKeyTile; key < all.end; key += kKeyTile) {
    const int64_t from = key * s.kv_heads + kv_head;
    team.Sync();
    LoadTile<qk>(team, at.k, in.k + from * qk, s.kv_heads * qk, kKeyTile, s.keys - key);
    LoadTile<v>(team, at.v_or_out, in.v + from * v, s.kv_heads * v, kKeyTile, s.keys - key);
    team.Sync();
    Result<kKeyTile> p;
    Clear(p);
    MultiplyRows<qk>(team, p, at.q + 16 * team.warp() * kPadded<qk>, at.k);
    float by[2];
    SoftmaxTile(team, p, seen, key, s.scale * kLog2E, rows, by);
    ScaleRows(sum, by);
    MultiplyDown<kKeyTile>(team, sum, p, at.v_or_out);
  }
  float by[2];
  SoftmaxEnd(team, s, rows, head, row, log_sums, by);
  team.Sync();
  PutResult(team, sum, by, at.v_or_out + 16 * team.warp() * kPadded<v>);
  team.Sync();
  StoreTile<v>(team, at.v_or_out, out + (first * s.heads + head) * v, s.heads * v, kRows, there);
}

}  // namespace pipescope::kernels::device
