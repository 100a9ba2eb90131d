// Attention's input gradient for GPUs; the equations are kernels/train/attention.h's.
//
// Two passes, neither with atomics, so that results do not depend on timing. With P from the scores
// and the forward pass's l, dP = do v' and a = do . o of each query:
//
//   queries   a block 16 queries a warp: a, then dq = scale sum over keys of P (dP - a) k
//   keys      a block 16 keys a warp, all heads that share it: dv = sum over queries of P do,
//             dk = scale sum of P (dP - a) q; with rows for keys, so that P and dP are left
//             operands
//
// Seven products where one pass with atomics has five: 1.4 times the work for the same bits every
// time. The queries' pass comes first; it leaves a.
//
// Source: Dao, arXiv 2307.08691, algorithm 2.
#pragma once

#include "kernels/train/device/attention.h"

namespace pipescope::kernels::device {

struct AttentionGradient {
  AttentionInput in;
  const Bf16 *out, *d_out;
  const float* log_sums;  // [queries][heads]
  float* along;           // a: [queries][heads]
  Bf16 *dq, *dk, *dv;
};

template <int warps, int qk, int v>
struct alignas(16) QueryPassShared {
  Bf16 q[16 * warps * kPadded<qk>];  // dq at last
  Bf16 d_out[16 * warps * kPadded<v>];
  Bf16 k[kKeyTile * kPadded<qk>];
  Bf16 v_[kKeyTile * kPadded<v>];
  float halves[32 * warps];  // of a, two a query
};

// l in powers of two; a query that sees nothing has no score to compare it with.
PIPESCOPE_BOTH float Log2Sum(float l) { return l == -INFINITY ? 0 : l * kLog2E; }

// a of each query of the tile: two threads each, half of the channels.
template <int warps, int qk, int v, class Team>
PIPESCOPE_BOTH void AlongOutput(Team& team, const AttentionGradient& g,
                                QueryPassShared<warps, qk, v>& at, int64_t head, int64_t first) {
  const AttentionSizes& s = g.in.sizes;
  const int row = team.thread() / 2, part = team.thread() % 2;
  const int64_t query = first + row;
  float dot = 0;
  for (int c = part * v / 2; c < (part + 1) * v / 2 && query < s.queries; c += kWide<Bf16>) {
    const Wide<Bf16> o = LoadWide(g.out + (query * s.heads + head) * v + c);
    const Wide<Bf16> d = LoadWide(at.d_out + row * kPadded<v> + c);
    PIPESCOPE_UNROLL
    for (int i = 0; i < kWide<Bf16>; ++i) dot += o.v[i] * d.v[i];
  }
  at.halves[team.thread()] = dot;
  team.Sync();
  if (part == 0 && query < s.queries) {
    g.along[query * s.heads + head] = at.halves[2 * row] + at.halves[2 * row + 1];
  }
}

template <int warps, int qk, int v, class Team>
PIPESCOPE_BOTH void AttentionQueryPass(Team& team, const AttentionGradient& g,
                                       QueryPassShared<warps, qk, v>& at, int64_t head,
                                       int64_t first) {
  const AttentionSizes& s = g.in.sizes;
  constexpr int kRows = 16 * warps;
  const int64_t kv_head = head / (s.heads / s.kv_heads), there = s.queries - first;
  const int64_t at_q = first * s.heads + head;
  LoadTile<qk>(team, at.q, g.in.q + at_q * qk, s.heads * qk, kRows, there);
  LoadTile<v>(team, at.d_out, g.d_out + at_q * v, s.heads * v, kRows, there);
  team.Sync();
  AlongOutput(team, g, at, head, first);
  const int row = 16 * team.warp() + team.lane() / 4;
  KeySpan seen[2];
  float l[2], a[2];
  PIPESCOPE_UNROLL
  for (int half = 0; half < 2; ++half) {
    const int mine = row + 8 * half;
    const bool is = mine < there;
    seen[half] = is ? KeysOf(s, first + mine) : KeySpan{0, 0};
    l[half] = is ? Log2Sum(g.log_sums[(first + mine) * s.heads + head]) : 0;
    a[half] = at.halves[2 * mine] + at.halves[2 * mine + 1];
  }
  Result<qk> dq;
  Clear(dq);
  const KeySpan all = KeysOf(s, first, first + kRows);
  for (int64_t key = all.first / kKeyTile * kKeyTile; key < all.end; key += kKeyTile) {
    const int64_t from = key * s.kv_heads + kv_head;
    team.Sync();
    LoadTile<qk>(team, at.k, g.in.k + from * qk, s.kv_heads * qk, kKeyTile, s.keys - key);
    LoadTile<v>(team, at.v_, g.in.v + from * v, s.kv_heads * v, kKeyTile, s.keys - key);
    team.Sync();
    Result<kKeyTile> p, dp;
    Clear(p);
    Clear(dp);
    MultiplyRows<qk>(team, p, at.q + 16 * team.warp() * kPadded<qk>, at.k);
    MultiplyRows<v>(team, dp, at.d_out + 16 * team.warp() * kPadded<v>, at.v_);
    PIPESCOPE_UNROLL
    for (int j = 0; j < kKeyTile / 8; ++j) {
      PIPESCOPE_UNROLL
      for (int e = 0; e < 4; ++e) {
        const int64_t column = key + 8 * j + team.lane() % 4 * 2 + e % 2;
        const float x = exp2f(p.v[j][e] * s.scale * kLog2E - l[e / 2]);
        p.v[j][e] = seen[e / 2].Holds(column) ? x * (dp.v[j][e] - a[e / 2]) : 0;
      }
    }
    MultiplyDown<kKeyTile>(team, dq, p, at.k);
  }
  const float by[2] = {s.scale, s.scale};
  team.Sync();
  PutResult(team, dq, by, at.q + 16 * team.warp() * kPadded<qk>);
  team.Sync();
  StoreTile<qk>(team, at.q, g.dq + at_q * qk, s.heads * qk, kRows, there);
}

inline constexpr int kQueryTile = 32;

template <int warps, int qk, int v>
struct alignas(16) KeyPassShared {
  Bf16 k[16 * warps * kPadded<qk>];  // dk at last
  Bf16 v_[16 * warps * kPadded<v>];  // dv at last
  Bf16 q[kQueryTile * kPadded<qk>];
  Bf16 d_out[kQueryTile * kPadded<v>];
  float l[kQueryTile], along[kQueryTile];
};

// The queries that see any of the keys first to last - 1: from, and where they end.
PIPESCOPE_BOTH KeySpan QueriesOf(const AttentionSizes& s, int64_t first, int64_t last) {
  if (!s.causal) return {0, s.queries};
  const int64_t before = s.keys - s.queries;  // query i stands at i + before
  int64_t end = s.queries;
  if (s.window < s.keys && last - 1 - before + s.window < end) end = last - 1 - before + s.window;
  return {first > before ? first - before : 0, end};
}

PIPESCOPE_BOTH int Clamp(int64_t x) {
  constexpr int64_t kMost = 1 << 30;
  return static_cast<int>(x < -kMost ? -kMost : x > kMost ? kMost : x);
}

// The products of one tile of queries with the block's keys.
template <int warps, int qk, int v, class Team>
PIPESCOPE_BOTH void KeyPassTile(Team& team, const AttentionSizes& s,
                                KeyPassShared<warps, qk, v>& at, int64_t key, int64_t query,
                                Result<qk>& dk, Result<v>& dv) {
  const int row = 16 * team.warp() + team.lane() / 4;
  Result<kQueryTile> p, dp;
  Clear(p);
  Clear(dp);
  MultiplyRows<v>(team, dp, at.v_ + 16 * team.warp() * kPadded<v>, at.d_out);
  MultiplyRows<qk>(team, p, at.k + 16 * team.warp() * kPadded<qk>, at.q);
  // How far query column stands behind key row: gap + column - row, small numbers within a tile.
  // All are behind where nothing is masked. Queries past the last need no mask: their do and a are
  // zero.
  const int gap = s.causal ? Clamp(query + s.keys - s.queries - key - row) : 64;
  const int window = Clamp(s.window);
  PIPESCOPE_UNROLL
  for (int j = 0; j < kQueryTile / 8; ++j) {
    PIPESCOPE_UNROLL
    for (int e = 0; e < 4; ++e) {
      const int column = 8 * j + team.lane() % 4 * 2 + e % 2;
      const int behind = gap + column - 8 * (e / 2);
      const bool seen = behind >= 0 && behind < window;
      p.v[j][e] = seen ? exp2f(p.v[j][e] * s.scale * kLog2E - at.l[column]) : 0;
      dp.v[j][e] = p.v[j][e] * (dp.v[j][e] - at.along[column]);
    }
  }
  MultiplyDown<kQueryTile>(team, dv, p, at.d_out);
  MultiplyDown<kQueryTile>(team, dk, dp, at.q);
}

template <int warps, int qk, int v, class Team>
PIPESCOPE_BOTH void LoadQueries(Team& team, const AttentionGradient& g,
                                KeyPassShared<warps, qk, v>& at, int64_t head, int64_t query) {
  const AttentionSizes& s = g.in.sizes;
  const int64_t from = query * s.heads + head, there = s.queries - query;
  LoadTile<qk>(team, at.q, g.in.q + from * qk, s.heads * qk, kQueryTile, there);
  LoadTile<v>(team, at.d_out, g.d_out + from * v, s.heads * v, kQueryTile, there);
  for (int i = team.thread(); i < kQueryTile; i += team.threads()) {
    at.l[i] = i < there ? Log2Sum(g.log_sums[from + i * s.heads]) : 0;
    at.along[i] = i < there ? g.along[from + i * s.heads] : 0;
  }
}

// Keys `first` to first + 16 warps of one key head.
template <int warps, int qk, int v, class Team>
PIPESCOPE_BOTH void AttentionKeyPass(Team& team, const AttentionGradient& g,
                                     KeyPassShared<warps, qk, v>& at, int64_t kv_head,
                                     int64_t first) {
  const AttentionSizes& s = g.in.sizes;
  constexpr int kRows = 16 * warps;
  const int64_t there = s.keys - first, at_k = first * s.kv_heads + kv_head;
  const int64_t last = first + (there < kRows ? there : kRows), shared = s.heads / s.kv_heads;
  LoadTile<qk>(team, at.k, g.in.k + at_k * qk, s.kv_heads * qk, kRows, there);
  LoadTile<v>(team, at.v_, g.in.v + at_k * v, s.kv_heads * v, kRows, there);
  Result<qk> dk;
  Result<v> dv;
  Clear(dk);
  Clear(dv);
  const KeySpan queries = QueriesOf(s, first, last);
  const int begin = static_cast<int>(queries.first) / kQueryTile * kQueryTile;
  for (int64_t head = kv_head * shared; head < (kv_head + 1) * shared; ++head) {
    for (int query = begin; query < queries.end; query += kQueryTile) {
      team.Sync();
      LoadQueries(team, g, at, head, query);
      team.Sync();
      KeyPassTile(team, s, at, first, query, dk, dv);
    }
  }
  const float scale[2] = {s.scale, s.scale}, one[2] = {1, 1};
  team.Sync();
  PutResult(team, dk, scale, at.k + 16 * team.warp() * kPadded<qk>);
  PutResult(team, dv, one, at.v_ + 16 * team.warp() * kPadded<v>);
  team.Sync();
  StoreTile<qk>(team, at.k, g.dk + at_k * qk, s.kv_heads * qk, kRows, there);
  StoreTile<v>(team, at.v_, g.dv + at_k * v, s.kv_heads * v, kRows, there);
}

}  // namespace pipescope::kernels::device
