#include "sim/model/operations.h"

#include "sim/model/kernels.h"
#include "sim/model/parameters.h"

namespace pipescope::model {
namespace {

// Widths that the phases of one layer share.
struct Widths {
  double hidden;
  int64_t q_out, kv_out, o_in, low_rank;
};

Widths WidthsOf(const ModelConfig& m) {
  return {static_cast<double>(m.hidden), m.heads * m.qk_head_dim(),
          m.heads * (m.qk_nope_head_dim + m.v_head_dim), m.heads * m.v_head_dim,
          (m.q_lora_rank > 0 ? m.q_lora_rank : m.heads * m.qk_head_dim()) + m.kv_lora_rank +
              m.qk_rope_head_dim};
}

// From the layer's input to the attention's operands q, k, v; run forward and, where recomputed,
// again in the backward pass (which then starts from the saved low-rank projections).
void UpProjections(KernelList& list, const ModelConfig& m, const WorkShape& s, const Widths& w) {
  if (m.q_lora_rank > 0) {
    list.PerToken("q_norm", 4.0 * static_cast<double>(m.q_lora_rank))
        .Cast("q_norm_cast", s.tokens, m.q_lora_rank)
        .Forward("q_b_proj", s.tokens, w.q_out, m.q_lora_rank);
  }
  list.PerToken("kv_norm", 4.0 * static_cast<double>(m.kv_lora_rank))
      .Cast("kv_norm_cast", s.tokens, m.kv_lora_rank)
      .Forward("kv_b_proj", s.tokens, w.kv_out, m.kv_lora_rank)
      .PerToken("rope_q", 4.0 * static_cast<double>(w.q_out))
      .PerToken("rope_concat_k", 4.0 * static_cast<double>(w.q_out));
}

Phase AttentionForward(const ModelConfig& m, const WorkShape& s, bool moe) {
  const Widths w = WidthsOf(m);
  KernelList list(s.fp8, s.tokens);
  list.PerToken("input_norm", 4 * w.hidden)
      .Cast("input_norm_cast", s.tokens, m.hidden)
      .Forward("qkv_a_proj", s.tokens, w.low_rank, m.hidden);
  UpProjections(list, m, s, w);
  list.Attention("flash_attention", m, s.sequence, Pass::kForward)
      .Cast("attention_cast", s.tokens, w.o_in)
      .Forward("o_proj", s.tokens, m.hidden, w.o_in)
      .PerToken("residual_add", 6 * w.hidden)
      .PerToken("post_norm", 4 * w.hidden)
      .Cast("post_norm_cast", s.tokens, m.hidden);
  if (moe) {
    list.Forward("router", s.tokens, m.routed_experts, m.hidden, false)
        .PerToken("top_k", 8.0 * m.routed_experts);
  }
  return {PhaseKind::kAttention, Pass::kForward, list.Take()};
}

Phase AttentionInputGrad(const ModelConfig& m, const WorkShape& s, bool moe) {
  const Widths w = WidthsOf(m);
  KernelList list(s.fp8, s.tokens);
  if (moe) list.InputGrad("router_dgrad", s.tokens, m.routed_experts, m.hidden, false);
  list.PerToken("post_norm_backward", 8 * w.hidden)
      .Cast("o_grad_cast", s.tokens, m.hidden)
      .InputGrad("o_proj_dgrad", s.tokens, m.hidden, w.o_in);
  if (s.recompute) {
    list.PerToken("input_norm_again", 4 * w.hidden)
        .Cast("input_norm_again_cast", s.tokens, m.hidden);
    UpProjections(list, m, s, w);
  }
  list.PerToken("attention_delta", 4.0 * static_cast<double>(w.o_in))
      .Attention("flash_attention_backward", m, s.sequence, Pass::kInputGrad)
      .PerToken("rope_q_backward", 4.0 * static_cast<double>(w.q_out))
      .PerToken("rope_k_backward", 4.0 * static_cast<double>(w.q_out))
      .Cast("kv_grad_cast", s.tokens, w.kv_out)
      .InputGrad("kv_b_proj_dgrad", s.tokens, w.kv_out, m.kv_lora_rank)
      .PerToken("kv_norm_backward", 8.0 * static_cast<double>(m.kv_lora_rank));
  if (m.q_lora_rank > 0) {
    list.Cast("q_grad_cast", s.tokens, w.q_out)
        .InputGrad("q_b_proj_dgrad", s.tokens, w.q_out, m.q_lora_rank)
        .PerToken("q_norm_backward", 8.0 * static_cast<double>(m.q_lora_rank));
  }
  list.Cast("qkv_a_grad_cast", s.tokens, w.low_rank)
      .InputGrad("qkv_a_proj_dgrad", s.tokens, w.low_rank, m.hidden)
      .PerToken("input_norm_backward", 8 * w.hidden);
  return {PhaseKind::kAttention, Pass::kInputGrad, list.Take()};
}

Phase AttentionWeightGrad(const ModelConfig& m, const WorkShape& s, bool moe) {
  const Widths w = WidthsOf(m);
  KernelList list(s.fp8, s.tokens);
  if (moe) list.WeightGrad("router_wgrad", s.tokens, m.routed_experts, m.hidden, false);
  list.Transpose("o_transpose", s.tokens, w.o_in + m.hidden)
      .WeightGrad("o_proj_wgrad", s.tokens, m.hidden, w.o_in)
      .Transpose("kv_transpose", s.tokens, w.kv_out + m.kv_lora_rank)
      .WeightGrad("kv_b_proj_wgrad", s.tokens, w.kv_out, m.kv_lora_rank);
  if (m.q_lora_rank > 0) {
    list.Transpose("q_transpose", s.tokens, w.q_out + m.q_lora_rank)
        .WeightGrad("q_b_proj_wgrad", s.tokens, w.q_out, m.q_lora_rank);
  }
  list.Transpose("qkv_a_transpose", s.tokens, w.low_rank + m.hidden)
      .WeightGrad("qkv_a_proj_wgrad", s.tokens, w.low_rank, m.hidden);
  return {PhaseKind::kAttention, Pass::kWeightGrad, list.Take()};
}

// A SwiGLU of width f over `rows` rows, `groups` experts at once.
struct Swiglu {
  const char *up, *act, *act_backward, *down;
  int64_t rows, f, groups;
};

void SwigluForward(KernelList& list, const ModelConfig& m, const WorkShape& s, const Swiglu& g) {
  const double f = static_cast<double>(g.f);
  list.Forward(g.up, g.rows, 2 * g.f, m.hidden, true, g.groups)
      .Memory(g.act, g.rows, f * (4 + (s.fp8 ? kFp8Bytes : 2)))
      .Forward(g.down, g.rows, m.hidden, g.f, true, g.groups);
}

void SwigluInputGrad(KernelList& list, const ModelConfig& m, const WorkShape& s, const Swiglu& g) {
  const double f = static_cast<double>(g.f);
  const double saved = s.fp8 ? kFp8Bytes : 2;
  list.InputGrad(g.down, g.rows, m.hidden, g.f, true, g.groups)
      // Reads the gradient and the saved input (2 f), writes its gradient and, again, the output.
      .Memory(g.act_backward, g.rows, f * (2 + 2 * saved + 2 * saved + (s.recompute ? saved : 0)))
      .InputGrad(g.up, g.rows, 2 * g.f, m.hidden, true, g.groups);
}

void SwigluWeightGrad(KernelList& list, const ModelConfig& m, const Swiglu& g) {
  list.Transpose(g.act, g.rows, g.f + m.hidden)
      .WeightGrad(g.down, g.rows, m.hidden, g.f, true, g.groups)
      .Transpose(g.act_backward, g.rows, 2 * g.f + m.hidden)
      .WeightGrad(g.up, g.rows, 2 * g.f, m.hidden, true, g.groups);
}

Swiglu DenseMlp(const ModelConfig& m, const WorkShape& s) {
  return {"gate_up", "swiglu", "swiglu_backward", "down", s.tokens, m.dense_intermediate, 1};
}

Swiglu SharedMlp(const ModelConfig& m, const WorkShape& s) {
  return {"shared_gate_up",
          "shared_swiglu",
          "shared_swiglu_backward",
          "shared_down",
          s.tokens,
          m.shared_experts * m.expert_intermediate,
          1};
}

Swiglu ExpertMlp(const ModelConfig& m, const WorkShape& s) {
  return {"expert_gate_up",
          "expert_swiglu",
          "expert_swiglu_backward",
          "expert_down",
          ExpertRows(m, s),
          m.expert_intermediate,
          m.routed_experts / s.expert_parallel};
}

Phase MlpForward(const ModelConfig& m, const WorkShape& s, bool moe) {
  const double d = static_cast<double>(m.hidden);
  KernelList list(s.fp8, s.tokens);
  if (!moe) {
    SwigluForward(list, m, s, DenseMlp(m, s));
  } else {
    const Swiglu experts = ExpertMlp(m, s);
    list.Memory("permute", experts.rows, d * 2 * (s.fp8 ? kFp8Bytes : 2));
    SwigluForward(list, m, s, experts);
    list.Memory("unpermute", experts.rows, d * 4);
    if (m.shared_experts > 0) SwigluForward(list, m, s, SharedMlp(m, s));
  }
  list.PerToken("residual_add", 6 * d);
  return {PhaseKind::kMlp, Pass::kForward, list.Take()};
}

Phase MlpInputGrad(const ModelConfig& m, const WorkShape& s, bool moe) {
  const double d = static_cast<double>(m.hidden);
  KernelList list(s.fp8, s.tokens);
  list.Cast("mlp_grad_cast", s.tokens, m.hidden);
  if (!moe) {
    SwigluInputGrad(list, m, s, DenseMlp(m, s));
  } else {
    const Swiglu experts = ExpertMlp(m, s);
    list.Memory("permute_backward", experts.rows, d * 2 * (s.fp8 ? kFp8Bytes : 2));
    SwigluInputGrad(list, m, s, experts);
    list.Memory("unpermute_backward", experts.rows, d * 4);
    if (m.shared_experts > 0) SwigluInputGrad(list, m, s, SharedMlp(m, s));
  }
  return {PhaseKind::kMlp, Pass::kInputGrad, list.Take()};
}

Phase MlpWeightGrad(const ModelConfig& m, const WorkShape& s, bool moe) {
  KernelList list(s.fp8, s.tokens);
  if (!moe) {
    SwigluWeightGrad(list, m, DenseMlp(m, s));
  } else {
    SwigluWeightGrad(list, m, ExpertMlp(m, s));
    if (m.shared_experts > 0) SwigluWeightGrad(list, m, SharedMlp(m, s));
  }
  return {PhaseKind::kMlp, Pass::kWeightGrad, list.Take()};
}

BlockWork LayerWork(const ModelConfig& m, const WorkShape& s, bool moe) {
  const bool moves = moe && s.expert_parallel > 1;  // else all experts are here
  BlockWork work;
  work.forward.push_back(AttentionForward(m, s, moe));
  if (moves) work.forward.push_back({PhaseKind::kDispatch, Pass::kForward, {}});
  work.forward.push_back(MlpForward(m, s, moe));
  if (moves) work.forward.push_back({PhaseKind::kCombine, Pass::kForward, {}});
  if (moves) work.input_grad.push_back({PhaseKind::kCombine, Pass::kInputGrad, {}});
  work.input_grad.push_back(MlpInputGrad(m, s, moe));
  if (moves) work.input_grad.push_back({PhaseKind::kDispatch, Pass::kInputGrad, {}});
  work.input_grad.push_back(AttentionInputGrad(m, s, moe));
  work.weight_grad.push_back(MlpWeightGrad(m, s, moe));
  work.weight_grad.push_back(AttentionWeightGrad(m, s, moe));
  return work;
}

BlockWork EmbeddingWork(const ModelConfig& m, const WorkShape& s) {
  const double d = static_cast<double>(m.hidden);
  BlockWork work;
  work.forward.push_back({PhaseKind::kEmbedding, Pass::kForward,
                          KernelList(s.fp8, s.tokens).PerToken("gather", 4 * d).Take()});
  work.weight_grad.push_back({PhaseKind::kEmbedding, Pass::kWeightGrad,
                              KernelList(s.fp8, s.tokens).PerToken("scatter_add", 10 * d).Take()});
  return work;
}

BlockWork ProjectionWork(const ModelConfig& m, const WorkShape& s) {
  const double d = static_cast<double>(m.hidden);
  KernelList forward(s.fp8, s.tokens), input(s.fp8, s.tokens), weight(s.fp8, s.tokens);
  forward.PerToken("gather", 4 * d)
      .PerToken("norms_and_concat", 8 * d)
      .Cast("concat_cast", s.tokens, 2 * m.hidden)
      .Forward("mtp_proj", s.tokens, m.hidden, 2 * m.hidden);
  input.Cast("mtp_grad_cast", s.tokens, m.hidden)
      .InputGrad("mtp_proj_dgrad", s.tokens, m.hidden, 2 * m.hidden)
      .PerToken("norms_backward", 16 * d);
  weight.Transpose("mtp_transpose", s.tokens, 3 * m.hidden)
      .WeightGrad("mtp_proj_wgrad", s.tokens, m.hidden, 2 * m.hidden)
      .PerToken("scatter_add", 10 * d);
  return {{{PhaseKind::kProjection, Pass::kForward, forward.Take()}},
          {{PhaseKind::kProjection, Pass::kInputGrad, input.Take()}},
          {{PhaseKind::kProjection, Pass::kWeightGrad, weight.Take()}}};
}

// The logits' gradient is as large as the logits, so it is used up at once: the head's weight
// gradient belongs to its input gradient and is never deferred.
BlockWork HeadWork(const ModelConfig& m, const WorkShape& s) {
  const double d = static_cast<double>(m.hidden);
  const double v = static_cast<double>(m.vocabulary);
  KernelList forward(s.fp8, s.tokens), backward(s.fp8, s.tokens);
  forward.PerToken("final_norm", 4 * d)
      .Forward("head", s.tokens, m.vocabulary, m.hidden, false)
      .PerToken("cross_entropy", 2 * v);
  backward.PerToken("cross_entropy_backward", 4 * v)
      .InputGrad("head_dgrad", s.tokens, m.vocabulary, m.hidden, false)
      .WeightGrad("head_wgrad", s.tokens, m.vocabulary, m.hidden, false)
      .PerToken("final_norm_backward", 8 * d);
  return {{{PhaseKind::kHead, Pass::kForward, forward.Take()}},
          {{PhaseKind::kHead, Pass::kInputGrad, backward.Take()}},
          {}};
}

}  // namespace

int64_t ExpertRows(const ModelConfig& m, const WorkShape& s) {
  return m.experts_per_token * s.tokens;
}

BlockWork WorkOf(const ModelConfig& m, const WorkShape& s, const Block& block) {
  switch (block.kind) {
    case BlockKind::kEmbedding:
      return EmbeddingWork(m, s);
    case BlockKind::kDenseLayer:
      return LayerWork(m, s, false);
    case BlockKind::kMoeLayer:
      return LayerWork(m, s, true);
    case BlockKind::kMtpProjection:
      return ProjectionWork(m, s);
    case BlockKind::kHead:
      return HeadWork(m, s);
  }
  return {};
}

Flops TrainingFlopsPerToken(const ModelConfig& m, int64_t sequence, bool causal) {
  const double multiplied =
      static_cast<double>(ActiveParameters(m) - (m.tied_embedding ? 0 : m.vocabulary * m.hidden));
  const double pairs = static_cast<double>(sequence) / (causal ? 2 : 1);
  const double attention = 2.0 * static_cast<double>(m.heads) *
                           static_cast<double>(m.qk_head_dim() + m.v_head_dim) * pairs * m.layers;
  return Flops(6 * multiplied + 3 * attention);
}

}  // namespace pipescope::model
