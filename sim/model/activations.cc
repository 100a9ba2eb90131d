#include "sim/model/activations.h"

#include <cmath>

#include "sim/model/kernels.h"
#include "sim/model/saved_tensors.h"

namespace pipescope::model {
namespace {

// Bytes per token, before they are multiplied by the tokens.
struct PerToken {
  double until_backward = 0;
  double until_weight_grad = 0;
};

double Width(int64_t value) { return static_cast<double>(value); }

// Grouped attention keeps its operands q, k and v: they are no longer than what they came from.
PerToken GroupedPart(const ModelConfig& m, const WorkShape& s, double linear) {
  const Attention& a = m.attention;
  const double d = Width(m.hidden);
  const double qkv = Width(a.q_width() + a.k_width() + a.v_width());
  const double o_in = Width(a.output_width());
  PerToken part;
  part.until_backward = 2 * d + 2 * (qkv + o_in) + 4 * Width(a.heads);
  if (!s.again()) part.until_backward += linear * d;
  part.until_weight_grad = linear * (d + qkv + d) + 2 * o_in;
  return part;
}

PerToken LatentPart(const ModelConfig& m, const WorkShape& s, double linear) {
  const Attention& a = m.attention;
  const double d = Width(m.hidden);
  const double q_low = Width(a.q_lora_rank > 0 ? a.q_lora_rank : a.q_width());
  const double kv_low = Width(a.kv_lora_rank + a.qk_rope_head_dim);
  const double q_out = Width(a.q_width());
  const double kv_out = Width(a.heads * (a.qk_nope_head_dim + a.v_head_dim));
  const double o_in = Width(a.output_width());
  const double output = s.fp8 ? 1.5 : 2.0;  // E5M6, or BF16
  PerToken part;
  part.until_backward = 2 * d + 2 * (q_low + kv_low) + output * o_in + 4 * Width(a.heads);
  if (!s.again()) {
    part.until_backward += linear * (d + q_low + kv_low) + 2 * (2 * q_out + o_in);
  }
  const double inputs = linear * (d + q_low + kv_low) + output * o_in;
  const double gradients = linear * (q_low + kv_low + q_out + kv_out + d);
  part.until_weight_grad = inputs + gradients;
  return part;
}

// An MLP of width f on k rows a token; `input` counts its rows' input as saved.
PerToken MlpRows(const ModelConfig& m, const WorkShape& s, int64_t width, double k, bool input) {
  const double linear = s.fp8 ? kFp8Bytes : 2.0;
  const double d = Width(m.hidden), f = Width(width), into = m.gated ? 2 * f : f;
  PerToken part;
  part.until_backward = k * into * linear + (input ? k * d * linear : 0);
  if (!s.again()) part.until_backward += k * f * linear;
  part.until_weight_grad = k * linear * (d + into + f + d);
  return part;
}

PerToken MlpPart(const ModelConfig& m, const WorkShape& s, bool moe, double linear) {
  const double d = Width(m.hidden);
  const double norm = s.again() ? 0 : linear * d;
  PerToken sum{2 * d + norm, 0};
  const auto add = [&](const PerToken& part) {
    sum.until_backward += part.until_backward;
    sum.until_weight_grad += part.until_weight_grad;
  };
  if (!moe) {
    add(MlpRows(m, s, m.dense_intermediate, 1, false));
    return sum;
  }
  add(MlpRows(m, s, m.expert_intermediate, m.experts_per_token, true));
  if (m.shared_intermediate > 0) add(MlpRows(m, s, m.shared_intermediate, 1, false));
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
      const PerToken attention =
          m.attention.latent() ? LatentPart(m, s, linear) : GroupedPart(m, s, linear);
      const PerToken mlp = MlpPart(m, s, block.kind == BlockKind::kMoeLayer, linear);
      bytes = {attention.until_backward + mlp.until_backward,
               attention.until_weight_grad + mlp.until_weight_grad};
      break;
    }
    case BlockKind::kMtpProjection:
      bytes = {4 * d, linear * 3 * d + 2 * d};
      break;
    case BlockKind::kHead:
      bytes = {2 * d + 2 * Width(m.vocabulary), 0};                         // input and logits
      if (s.deferred_head) bytes.until_weight_grad = bytes.until_backward;  // and their gradient
      break;
  }
  const auto all = [&](double per_token) {
    return RoundBytes(per_token * static_cast<double>(s.shard()));
  };
  ActivationBytes sum{all(bytes.until_backward), all(bytes.until_weight_grad), Bytes(0)};
  if (!s.fp8) {
    sum.until_backward = Bytes(0);
    for (const SavedTensor& tensor : SavedTensors(m, s, block)) sum.until_backward += tensor.bytes;
    sum.working = WorkingSet(m, s, block);
  }
  return sum;
}

}  // namespace pipescope::model
