#include "sim/model/operations.h"

#include "sim/model/kernels.h"
#include "sim/model/layer_work.h"
#include "sim/model/parameters.h"

namespace pipescope::model {
namespace {

BlockWork LayerWork(const ModelConfig& m, const WorkShape& s, LayerKind kind) {
  const bool moe = kind.moe;
  const bool moves = moe && s.expert_parallel > 1;  // else all experts are here
  BlockWork work;
  work.forward.push_back(AttentionForward(m, s, kind));
  if (moves) work.forward.push_back({PhaseKind::kDispatch, Pass::kForward, {}});
  work.forward.push_back(MlpForward(m, s, moe));
  if (moves) work.forward.push_back({PhaseKind::kCombine, Pass::kForward, {}});
  if (moves) work.input_grad.push_back({PhaseKind::kCombine, Pass::kInputGrad, {}});
  work.input_grad.push_back(MlpInputGrad(m, s, moe));
  if (moves) work.input_grad.push_back({PhaseKind::kDispatch, Pass::kInputGrad, {}});
  work.input_grad.push_back(AttentionInputGrad(m, s, kind));
  work.weight_grad.push_back(MlpWeightGrad(m, s, moe));
  work.weight_grad.push_back(AttentionWeightGrad(m, s, kind));
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
    case BlockKind::kMoeLayer:
      return LayerWork(m, s, {block.kind == BlockKind::kMoeLayer, m.KindOf(block.layer).window});
    case BlockKind::kMtpProjection:
      return ProjectionWork(m, s);
    case BlockKind::kHead:
      return HeadWork(m, s);
  }
  return {};
}

Flops TrainingFlopsPerToken(const ModelConfig& m, int64_t sequence, bool causal) {
  const int64_t looked_up = ((m.tied_embedding ? 0 : m.vocabulary) + m.positions) * m.hidden;
  const double multiplied = static_cast<double>(ActiveParameters(m) - looked_up);
  double keys = 0;
  for (const LayerKind& kind : m.layer) {
    keys +=
        causal || kind.window > 0 ? MeanKeys(sequence, kind.window) : static_cast<double>(sequence);
  }
  const Attention& a = m.attention;
  const double attention = 2.0 * static_cast<double>(a.heads * (a.qk_dim() + a.v_dim())) * keys;
  return Flops(6 * multiplied + 3 * attention);
}

}  // namespace pipescope::model
