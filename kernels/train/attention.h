// The attention core of one sequence: softmax(scale Q K' + mask) V for each head.
//
//   S[i][j] = scale sum over c of q[i][c] k[j][c]           for the keys j that query i sees
//   P[i][j] = e^(S[i][j] - l[i])     l[i] = ln(sum over j of e^S[i][j])
//   o[i]    = sum over j of P[i][j] v[j]
//
//   dv[j] = sum over i of P[i][j] do[i]
//   dS[i][j] = P[i][j] (do[i] . v[j] - do[i] . o[i])
//   dq[i] = scale sum over j of dS[i][j] k[j]       dk[j] = scale sum over i of dS[i][j] q[i]
//
// The last query stands beside the last key: query i is at p = i + keys - queries. Causal, it sees
// the keys up to p; with a window, only the last `window` of these, itself included. A query that
// sees no key has o = 0, l = -infinity and no gradient.
//
// q, o and their gradients are [queries][heads][channels], k and v [keys][kv_heads][channels], l
// [queries][heads] in nats. heads / kv_heads neighbouring heads share a key head: 1 is multi-head,
// `heads` multi-query attention. Keys and values may have different channels: MLA trains with 192
// (128 and 64 of RoPE) and 128. Kernels keep o and l for the backward pass; the truth makes its
// own.
//
// Example: q = {1}, k = {0, ln 3}, v = {0, 4}, scale 1: P = {1/4, 3/4}, o = 3, l = ln 4.
// Source: Vaswani et al., arXiv 1706.03762, equation 1; the backward pass and l as in Dao et al.,
// arXiv 2205.14135, algorithm 4, and 2307.08691, algorithms 1 and 2; windows: arXiv 2310.06825.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace pipescope::kernels {

inline constexpr int64_t kNoWindow = std::numeric_limits<int64_t>::max();

struct AttentionShape {
  int64_t heads = 1;
  int64_t kv_heads = 1;     // divides heads
  int64_t qk_channels = 1;  // of a head
  int64_t v_channels = 1;   // of a head
  double scale = 1;         // 1 / sqrt(qk_channels), but for YaRN
  bool causal = true;
  int64_t window = kNoWindow;  // at least 1; causal only
};

struct AttentionResult {
  std::vector<float> out;
  std::vector<float> log_sums;  // l
};

struct AttentionGradients {
  std::vector<float> dq, dk, dv;
};

// There are no weights, so forward and input gradient only. Aborts where sizes disagree.
AttentionResult Attention(std::span<const float> q, std::span<const float> k,
                          std::span<const float> v, const AttentionShape& shape);
AttentionGradients AttentionInputGradient(std::span<const float> q, std::span<const float> k,
                                          std::span<const float> v, std::span<const float> d_out,
                                          const AttentionShape& shape);

}  // namespace pipescope::kernels
