// The definitions of layer.h, for the machines that instantiate them.
#pragma once

#include <cmath>

#include "kernels/transformer/layer.h"

namespace pipescope::transformer {

// So that a linear layer keeps the size of what goes in.
inline double SpreadOf(int64_t in) { return 1 / std::sqrt(static_cast<double>(in)); }

template <class M>
LatentAttention<M>::LatentAttention(const ModelConfig& m, const std::string& name, const M& machine)
    : m_(m),
      norm_(machine.Weights(name + ".norm", 1, m.hidden, 0, m.bf16)),
      q_down_(machine.Weights(name + ".q_down", m.q_rank, m.hidden, SpreadOf(m.hidden), m.bf16)),
      q_norm_(machine.Weights(name + ".q_norm", 1, m.q_rank, 0, m.bf16)),
      q_up_(machine.Weights(name + ".q_up", m.heads * (m.nope + m.rotary), m.q_rank,
                            SpreadOf(m.q_rank), m.bf16)),
      kv_down_(machine.Weights(name + ".kv_down", m.kv_rank + m.rotary, m.hidden,
                               SpreadOf(m.hidden), m.bf16)),
      kv_norm_(machine.Weights(name + ".kv_norm", 1, m.kv_rank, 0, m.bf16)),
      kv_up_(machine.Weights(name + ".kv_up", m.heads * (m.nope + m.v_channels), m.kv_rank,
                             SpreadOf(m.kv_rank), m.bf16)),
      out_(machine.Weights(name + ".out", m.hidden, m.heads * m.v_channels,
                           SpreadOf(m.heads * m.v_channels), m.bf16)) {}

template <class M>
typename M::Tensor LatentAttention<M>::Forward(Tape& tape, const Tensor& x) {
  const int64_t channels = m_.nope + m_.rotary;
  const Tensor normed = Norm(tape, x, norm_);
  const Tensor q_latent = Norm(tape, Linear(tape, normed, q_down_), q_norm_);
  const Tensor q = Rope(tape, Linear(tape, q_latent, q_up_), {m_.heads, channels, m_.rotary});
  const Tensor down = Linear(tape, normed, kv_down_);
  const int64_t width = m_.kv_rank + m_.rotary;
  const Tensor turned =
      Rope(tape, Columns(tape, down, width, m_.kv_rank, m_.rotary), {1, m_.rotary, m_.rotary});
  const Tensor latent = Norm(tape, Columns(tape, down, width, 0, m_.kv_rank), kv_norm_);
  const Tensor up = Linear(tape, latent, kv_up_);
  const int64_t of_head = m_.nope + m_.v_channels;
  const Tensor k =
      Beside(tape, Columns(tape, up, of_head, 0, m_.nope), m_.nope, turned, m_.rotary, m_.heads);
  const Tensor v = Columns(tape, up, of_head, m_.nope, m_.v_channels);
  kernels::AttentionShape shape{m_.heads, m_.heads, channels, m_.v_channels, SpreadOf(channels)};
  return Add(tape, x, Linear(tape, Attend(tape, q, k, v, shape), out_));
}

template <class M>
void LatentAttention<M>::AddTo(ParametersOf<M>& all) {
  all.insert(all.end(), {&norm_, &q_down_, &q_norm_, &q_up_, &kv_down_, &kv_norm_, &kv_up_, &out_});
}

template <class M>
FeedForward<M>::FeedForward(const ModelConfig& m, const std::string& name, int64_t width,
                            const M& machine)
    : up(machine.Weights(name + ".up", 2 * width, m.hidden, SpreadOf(m.hidden), m.bf16)),
      down(machine.Weights(name + ".down", m.hidden, width, SpreadOf(width), m.bf16)) {}

template <class M>
typename M::Tensor FeedForward<M>::Forward(typename M::Tape& tape, const typename M::Tensor& x) {
  return Linear(tape, SwiGlu(tape, Linear(tape, x, up)), down);
}

}  // namespace pipescope::transformer
