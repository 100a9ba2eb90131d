#include "sim/model/activations.h"

#include <cmath>

#include "sim/model/kernels.h"

namespace pipescope::model {
namespace {

// Bytes per token, before they are multiplied by the tokens.
struct PerToken {
  double until_backward = 0;
  double until_weight_grad = 0;
};

double Width(int64_t value) { return static_cast<double>(value); }

PerToken AttentionPart(const ModelConfig& m, const WorkShape& s, double linear) {
  const double d = Width(m.hidden);
  const double q_low = Width(m.q_lora_rank > 0 ? m.q_lora_rank : m.heads * m.qk_head_dim());
  const double kv_low = Width(m.kv_lora_rank + m.qk_rope_head_dim);
  const double q_out = Width(m.heads * m.qk_head_dim());
  const double kv_out = Width(m.heads * (m.qk_nope_head_dim + m.v_head_dim));
  const double o_in = Width(m.heads * m.v_head_dim);
  const double output = s.fp8 ? 1.5 : 2.0;  // E5M6, or BF16
  PerToken part;
  part.until_backward = 2 * d + 2 * (q_low + kv_low) + output * o_in + 4 * Width(m.heads);
  if (!s.recompute) {
    part.until_backward += linear * (d + q_low + kv_low) + 2 * (2 * q_out + o_in);
  }
  const double inputs = linear * (d + q_low + kv_low) + output * o_in;
  const double gradients = linear * (q_low + kv_low + q_out + kv_out + d);
  part.until_weight_grad = inputs + gradients;
  return part;
}

// A SwiGLU of width f on k rows a token; `input` counts its rows' input as saved.
PerToken SwigluPart(double d, double f, double k, bool input, bool recompute, double linear) {
  PerToken part;
  part.until_backward = k * 2 * f * linear + (input ? k * d * linear : 0);
  if (!recompute) part.until_backward += k * f * linear;
  part.until_weight_grad = k * linear * (d + 2 * f + f + d);
  return part;
}

PerToken MlpPart(const ModelConfig& m, const WorkShape& s, bool moe, double linear) {
  const double d = Width(m.hidden);
  const double norm = s.recompute ? 0 : linear * d;
  PerToken sum{2 * d + norm, 0};
  const auto add = [&](const PerToken& part) {
    sum.until_backward += part.until_backward;
    sum.until_weight_grad += part.until_weight_grad;
  };
  if (!moe) {
    add(SwigluPart(d, Width(m.dense_intermediate), 1, false, s.recompute, linear));
    return sum;
  }
  const double f = Width(m.expert_intermediate);
  add(SwigluPart(d, f, m.experts_per_token, true, s.recompute, linear));
  if (m.shared_experts > 0) {
    add(SwigluPart(d, m.shared_experts * f, 1, false, s.recompute, linear));
  }
  const double router = 4.0 * m.routed_experts + 12.0 * m.experts_per_token;
  add({router, 4.0 * m.routed_experts});
  return sum;
}

}  // namespace

ActivationBytes ActivationsOf(const ModelConfig& m, const WorkShape& s, const Block& block) {
  const double linear = s.fp8 ? kFp8Bytes : 2.0;
  const double d = Width(m.hidden);
  PerToken bytes;
  switch (block.kind) {
    case BlockKind::kEmbedding:
      bytes = {8, 8 + 2 * d};  // token ids; the gradient that will be scattered
      break;
    case BlockKind::kDenseLayer:
    case BlockKind::kMoeLayer: {
      const PerToken attention = AttentionPart(m, s, linear);
      const PerToken mlp = MlpPart(m, s, block.kind == BlockKind::kMoeLayer, linear);
      bytes = {attention.until_backward + mlp.until_backward,
               attention.until_weight_grad + mlp.until_weight_grad};
      break;
    }
    case BlockKind::kMtpProjection:
      bytes = {4 * d, linear * 3 * d + 2 * d};
      break;
    case BlockKind::kHead:
      bytes = {2 * d + 2 * Width(m.vocabulary), 0};  // input and logits
      break;
  }
  const auto all = [&](double per_token) {
    return RoundBytes(per_token * static_cast<double>(s.tokens));
  };
  return {all(bytes.until_backward), all(bytes.until_weight_grad)};
}

}  // namespace pipescope::model
