#include <algorithm>

#include "sim/model/kernels.h"
#include "sim/model/layer_work.h"

namespace pipescope::model {
namespace {

double Width(int64_t value) { return static_cast<double>(value); }

// Kernels of a few microseconds each that choose the experts (scores, bias, groups, two top-k,
// normalising, auxiliary loss), and their gradients: counted in DeepSeek's training trace.
constexpr int kGateKernels = 35;
constexpr int kGateBackwardKernels = 25;

// What the phases of one layer with latent attention share: outputs of the down-projections, of
// the keys' and values' up-projection.
int64_t QueryRank(const Attention& a) { return a.q_lora_rank > 0 ? a.q_lora_rank : a.q_width(); }
int64_t KeyRank(const Attention& a) { return a.kv_lora_rank + a.qk_rope_head_dim; }
int64_t LowRank(const Attention& a) { return QueryRank(a) + KeyRank(a); }
int64_t KeyValueUp(const Attention& a) { return a.heads * (a.qk_nope_head_dim + a.v_head_dim); }
int64_t Qkv(const Attention& a) { return a.q_width() + a.k_width() + a.v_width(); }

// From the short vectors to q, k, v; run forward and, where recomputed, again in the backward pass
// (which then starts from the saved low-rank projections).
void UpProjections(KernelList& list, const Attention& a, const WorkShape& s) {
  list.Gather(LowRank(a));
  if (a.q_lora_rank > 0) {
    list.Norm("q_norm", s.tokens, a.q_lora_rank)
        .Cast("q_norm_cast", s.tokens, a.q_lora_rank)
        .Forward("q_b_proj", s.tokens, a.q_width(), a.q_lora_rank);
  }
  list.Norm("kv_norm", s.tokens, a.kv_lora_rank)
      .Cast("kv_norm_cast", s.tokens, a.kv_lora_rank)
      .Forward("kv_b_proj", s.tokens, KeyValueUp(a), a.kv_lora_rank)
      .PerToken("rope_q", 4 * Width(a.q_width()))
      .PerToken("rope_concat_k", 4 * Width(a.q_width()));
}

void ProjectionsForward(KernelList& list, const ModelConfig& m, const Attention& a,
                        const WorkShape& s) {
  list.Cast("input_norm_cast", s.shard(), m.hidden);
  if (a.latent()) {
    list.Forward("q_a_proj", s.shard(), QueryRank(a), m.hidden)
        .Cast("input_norm_cast", s.shard(), m.hidden)
        .Forward("kv_a_proj", s.shard(), KeyRank(a), m.hidden);
    UpProjections(list, a, s);
    return;
  }
  list.Gather(m.hidden).Forward("qkv_proj", s.tokens, Qkv(a), m.hidden);
  if (a.qk_norm) list.PerToken("qk_norm", 4 * Width(a.q_width() + a.k_width()));
  if (m.positions == 0) list.PerToken("rope", 4 * Width(a.q_width() + a.k_width()));
}

// What the weight gradients of a layer of `in` and `out` values a row multiply: columns of both.
void CastColumns(KernelList& list, int64_t rows, int64_t in, int64_t out) {
  list.Cast("wgrad_input_cast", rows, in).Cast("wgrad_grad_cast", rows, out);
}

// The input gradient of a layer of `in` and `out` values a row, and the casts of its weight's.
void LatentLayer(KernelList& list, const char* name, int64_t rows, int64_t out, int64_t in) {
  list.TransposeWeights("weight_transpose", out, in)
      .Cast("grad_cast", rows, out)
      .InputGrad(name, rows, out, in);
  CastColumns(list, rows, in, out);
}

void LatentInputGrad(KernelList& list, const ModelConfig& m, const Attention& a,
                     const WorkShape& s) {
  list.PerToken("rope_q_backward", 4 * Width(a.q_width()))
      .PerToken("rope_k_backward", 4 * Width(a.q_width()));
  LatentLayer(list, "kv_b_proj_dgrad", s.tokens, KeyValueUp(a), a.kv_lora_rank);
  list.Norm("kv_norm_backward", s.tokens, a.kv_lora_rank, 4);
  if (a.q_lora_rank > 0) {
    LatentLayer(list, "q_b_proj_dgrad", s.tokens, a.q_width(), a.q_lora_rank);
    list.Norm("q_norm_backward", s.tokens, a.q_lora_rank, 4);
  }
  list.Scatter(LowRank(a));
  LatentLayer(list, "kv_a_proj_dgrad", s.shard(), KeyRank(a), m.hidden);
  LatentLayer(list, "q_a_proj_dgrad", s.shard(), QueryRank(a), m.hidden);
  list.Sharded("input_grad_add", 6 * Width(m.hidden));
}

void GroupedInputGrad(KernelList& list, const ModelConfig& m, const Attention& a,
                      const WorkShape& s) {
  if (m.positions == 0) list.PerToken("rope_backward", 4 * Width(a.q_width() + a.k_width()));
  if (a.qk_norm) list.PerToken("qk_norm_backward", 8 * Width(a.q_width() + a.k_width()));
  list.GatherBeside(m.hidden)
      .Cast("qkv_grad_cast", s.tokens, Qkv(a))
      .TransposeWeights("qkv_weight_transpose", Qkv(a), m.hidden)
      .InputGrad("qkv_proj_dgrad", s.tokens, Qkv(a), m.hidden)
      .ScatterBeside(m.hidden);
  CastColumns(list, s.tokens, m.hidden, Qkv(a));
}

// Keys and values of all the group's tokens, or a head's share of everything.
void ExchangeInputs(KernelList& list, const Attention& a, const WorkShape& s) {
  const bool heads = s.exchange == ContextExchange::kAllToAll;
  list.Exchange(heads ? Qkv(a) : s.context * (a.k_width() + a.v_width()));
}

void ExchangeOutputs(KernelList& list, const Attention& a, const WorkShape& s) {
  if (s.exchange == ContextExchange::kAllToAll) list.Exchange(a.output_width());
}

// Scores and what the values are multiplied with: of every head of every sequence, all s x s, BF16;
// dropout's mask is a byte a score.
void UnfusedForward(KernelList& list, const Attention& a, const WorkShape& s) {
  const int64_t rows = a.heads * s.tokens, groups = rows / s.sequence;
  const double row = Width(s.sequence);
  list.Forward("attention_scores", rows, s.sequence, a.qk_dim(), false, groups)
      .Memory("softmax", rows, 4 * row)
      .Memory("attention_dropout", rows, 5 * row)
      .Forward("attention_values", rows, a.v_dim(), s.sequence, false, groups);
}

void UnfusedBackward(KernelList& list, const Attention& a, const WorkShape& s) {
  const int64_t rows = a.heads * s.tokens, groups = rows / s.sequence;
  const double row = Width(s.sequence);
  list.InputGrad("attention_values_dgrad", rows, a.v_dim(), s.sequence, false, groups)
      .Forward("attention_values_grad", rows, a.v_dim(), s.sequence, false, groups)
      .Memory("attention_dropout_backward", rows, 5 * row)
      .Memory("softmax_backward", rows, 6 * row)
      .InputGrad("query_grad", rows, s.sequence, a.qk_dim(), false, groups)
      .Forward("key_grad", rows, a.qk_dim(), s.sequence, false, groups);
}

void CoreForward(KernelList& list, const Attention& a, const WorkShape& s, LayerKind kind,
                 const char* name) {
  if (s.unfused_attention) return UnfusedForward(list, a, s);
  list.AttentionCore(name, a, MeanKeys(s.sequence, kind.window), Pass::kForward);
}

void CoreInputGrad(KernelList& list, const Attention& a, const WorkShape& s, LayerKind kind) {
  if (s.unfused_attention) return UnfusedBackward(list, a, s);
  list.PerToken("attention_delta", 4 * Width(a.output_width()))
      .AttentionCore("flash_attention_backward", a, MeanKeys(s.sequence, kind.window),
                     Pass::kInputGrad);
}

}  // namespace

Attention LocalAttention(const Attention& attention, int tensor) {
  Attention a = attention;
  a.heads = std::max<int64_t>(1, a.heads / tensor);
  a.kv_heads = attention.latent() ? a.kv_heads : std::max<int64_t>(1, a.kv_heads / tensor);
  return a;
}

double MeanKeys(int64_t sequence, int64_t window) {
  const double s = Width(sequence);
  if (window == 0 || window >= sequence) return s / 2;
  const double w = Width(window);
  return w - w * w / (2 * s);
}

std::vector<Phase> AttentionForward(const ModelConfig& m, const WorkShape& s, LayerKind kind) {
  const Attention a = LocalAttention(m.attention, s.tensor);
  const double d = Width(m.hidden);
  KernelList list(s, PhaseKind::kAttention, Pass::kForward);
  list.Norm("input_norm", s.shard(), m.hidden);
  ProjectionsForward(list, m, a, s);
  ExchangeInputs(list, a, s);
  CoreForward(list, a, s, kind, "flash_attention");
  ExchangeOutputs(list, a, s);
  if (s.again()) list.CastE5M6("attention_keep", s.tokens, a.output_width());
  list.Cast("attention_cast", s.tokens, a.output_width())
      .Forward("o_proj", s.tokens, m.hidden, a.output_width())
      .Scatter(m.hidden);
  if (m.norms == 4) list.Norm("attention_post_norm", s.shard(), m.hidden);
  list.Sharded("residual_add", 6 * d)
      .Norm("post_norm", s.shard(), m.hidden)
      .Cast("post_norm_cast", s.shard(), m.hidden);
  if (kind.moe) {
    list.Forward("router", s.shard(), m.routed_experts, m.hidden, false)
        .Sharded("top_k", 8.0 * m.routed_experts)
        .Small("gate", kGateKernels);
  }
  return list.Take();
}

std::vector<Phase> AttentionInputGrad(const ModelConfig& m, const WorkShape& s, LayerKind kind) {
  const Attention a = LocalAttention(m.attention, s.tensor);
  const double d = Width(m.hidden);
  KernelList list(s, PhaseKind::kAttention, Pass::kInputGrad);
  if (kind.moe) {
    list.Small("gate_backward", kGateBackwardKernels)
        .InputGrad("router_dgrad", s.shard(), m.routed_experts, m.hidden, false)
        .Sharded("router_grad_add", 6 * d);
  }
  list.Norm("post_norm_backward", s.shard(), m.hidden, 4);
  if (m.norms == 4) list.Norm("attention_post_norm_backward", s.shard(), m.hidden, 4);
  if (s.again()) list.CastE5M6("attention_restore", s.tokens, a.output_width());
  list.Gather(m.hidden)
      .Cast("o_grad_cast", s.tokens, m.hidden)
      .TransposeWeights("o_weight_transpose", m.hidden, a.output_width())
      .InputGrad("o_proj_dgrad", s.tokens, m.hidden, a.output_width());
  CastColumns(list, s.tokens, a.output_width(), m.hidden);
  ExchangeOutputs(list, a, s);
  if (s.again()) {
    list.Norm("input_norm_again", s.shard(), m.hidden);
    if (a.latent()) UpProjections(list, a, s);
  }
  if (s.recompute == Recompute::kSelective) {
    CoreForward(list, a, s, kind, "flash_attention_again");
  }
  CoreInputGrad(list, a, s, kind);
  ExchangeInputs(list, a, s);
  if (a.latent()) {
    LatentInputGrad(list, m, a, s);
  } else {
    GroupedInputGrad(list, m, a, s);
  }
  list.Norm("input_norm_backward", s.shard(), m.hidden, 4);
  return list.Take();
}

std::vector<Phase> AttentionWeightGrad(const ModelConfig& m, const WorkShape& s, LayerKind kind) {
  const Attention a = LocalAttention(m.attention, s.tensor);
  KernelList list(s, PhaseKind::kAttention, Pass::kWeightGrad);
  if (kind.moe) list.WeightGrad("router_wgrad", s.shard(), m.routed_experts, m.hidden, false);
  list.WeightGrad("o_proj_wgrad", s.tokens, m.hidden, a.output_width());
  if (!a.latent()) {
    list.WeightGrad("qkv_proj_wgrad", s.tokens, Qkv(a), m.hidden);
    return list.Take();
  }
  list.WeightGrad("kv_b_proj_wgrad", s.tokens, KeyValueUp(a), a.kv_lora_rank);
  if (a.q_lora_rank > 0) {
    list.WeightGrad("q_b_proj_wgrad", s.tokens, a.q_width(), a.q_lora_rank);
  }
  list.WeightGrad("kv_a_proj_wgrad", s.shard(), KeyRank(a), m.hidden)
      .WeightGrad("q_a_proj_wgrad", s.shard(), QueryRank(a), m.hidden);
  return list.Take();
}

}  // namespace pipescope::model
