#include "sim/model/operations.h"

#include "sim/model/kernels.h"
#include "sim/model/layer_work.h"
#include "sim/model/parameters.h"

namespace pipescope::model {
namespace {

// A message among the GPUs that share a layer's experts.
std::vector<Phase> Message(PhaseKind kind, Pass pass) { return {{kind, pass, {}}}; }

BlockWork LayerWork(const ModelConfig& m, const WorkShape& s, LayerKind kind) {
  const bool moe = kind.moe;
  const bool moves = moe && s.expert_parallel > 1;  // else all experts are here
  BlockWork work;
  Append(work.forward, AttentionForward(m, s, kind));
  if (moves) Append(work.forward, Message(PhaseKind::kDispatch, Pass::kForward));
  Append(work.forward, MlpForward(m, s, moe));
  if (moves) Append(work.forward, Message(PhaseKind::kCombine, Pass::kForward));
  if (s.recompute == Recompute::kFull) work.again = work.forward;
  if (moves) Append(work.input_grad, Message(PhaseKind::kCombine, Pass::kInputGrad));
  Append(work.input_grad, MlpInputGrad(m, s, moe));
  if (moves) Append(work.input_grad, Message(PhaseKind::kDispatch, Pass::kInputGrad));
  Append(work.input_grad, AttentionInputGrad(m, s, kind));
  Append(work.weight_grad, MlpWeightGrad(m, s, moe));
  Append(work.weight_grad, AttentionWeightGrad(m, s, kind));
  return work;
}

// Under tensor parallelism a GPU looks up the words of its part of the vocabulary, and the rows
// are summed into shares of the sequence.
BlockWork EmbeddingWork(const ModelConfig& m, const WorkShape& s) {
  const double d = static_cast<double>(m.hidden);
  KernelList forward(s, PhaseKind::kEmbedding, Pass::kForward);
  KernelList weight(s, PhaseKind::kEmbedding, Pass::kWeightGrad);
  forward.PerToken("gather", 4 * d).Scatter(m.hidden);
  weight.Gather(m.hidden).PerToken("scatter_add", 10 * d);
  return {forward.Take(), {}, weight.Take(), {}};
}

BlockWork ProjectionWork(const ModelConfig& m, const WorkShape& s) {
  const double d = static_cast<double>(m.hidden);
  KernelList forward(s, PhaseKind::kProjection, Pass::kForward);
  KernelList input(s, PhaseKind::kProjection, Pass::kInputGrad);
  KernelList weight(s, PhaseKind::kProjection, Pass::kWeightGrad);
  const int64_t width = m.hidden / s.tensor;  // column-split, as the layers' first projections
  forward.PerToken("gather", 4 * d)
      .Scatter(m.hidden)
      .Norm("norms", s.shard(), 2 * m.hidden)
      .Cast("concat_cast", s.shard(), 2 * m.hidden)
      .Gather(2 * m.hidden)
      .Forward("mtp_proj", s.tokens, width, 2 * m.hidden)
      .Scatter(m.hidden);
  input.Gather(m.hidden)
      .Cast("mtp_grad_cast", s.tokens, m.hidden)
      .GatherBeside(2 * m.hidden)
      .TransposeWeights("weight_transpose", width, 2 * m.hidden)
      .InputGrad("mtp_proj_dgrad", s.tokens, width, 2 * m.hidden)
      .ScatterBeside(2 * m.hidden)
      .Cast("wgrad_input_cast", s.tokens, 2 * m.hidden)
      .Cast("wgrad_grad_cast", s.tokens, m.hidden)
      .Norm("norms_backward", s.shard(), 2 * m.hidden, 4);
  weight.WeightGrad("mtp_proj_wgrad", s.tokens, width, 2 * m.hidden)
      .Gather(m.hidden)
      .PerToken("scatter_add", 10 * d);
  return {forward.Take(), input.Take(), weight.Take(), {}};
}

// The logits' gradient is as large as the logits, so as a rule it is used up at once: the head's
// weight gradient then belongs to its input gradient, unless the shape says that it waits like any
// other (as in the code of Zero Bubble, which defers that of every linear layer). The split loss
// needs every token's greatest logit, the sum of its exponentials and the logit of its target:
// three FP32 all-reduces.
BlockWork HeadWork(const ModelConfig& m, const WorkShape& s) {
  const int64_t width = m.vocabulary / s.tensor;
  const double v = static_cast<double>(width);
  KernelList forward(s, PhaseKind::kHead, Pass::kForward);
  KernelList backward(s, PhaseKind::kHead, Pass::kInputGrad);
  forward.Norm("final_norm", s.shard(), m.hidden)
      .Gather(m.hidden)
      .Forward("head", s.tokens, width, m.hidden, false)
      .PerToken("cross_entropy", 2 * v)
      .Reduce(3 * 4);
  KernelList weight(s, PhaseKind::kHead, Pass::kWeightGrad);
  backward.PerToken("cross_entropy_backward", 4 * v);
  if (s.deferred_head) {
    backward.InputGrad("head_dgrad", s.tokens, width, m.hidden, false).Scatter(m.hidden);
    weight.Gather(m.hidden).WeightGrad("head_wgrad", s.tokens, width, m.hidden, false);
  } else {
    backward.GatherBeside(m.hidden)
        .InputGrad("head_dgrad", s.tokens, width, m.hidden, false)
        .ScatterBeside(m.hidden)
        .WeightGrad("head_wgrad", s.tokens, width, m.hidden, false);
  }
  backward.Norm("final_norm_backward", s.shard(), m.hidden, 4);
  return {
      forward.Take(), backward.Take(), s.deferred_head ? weight.Take() : std::vector<Phase>{}, {}};
}

}  // namespace

bool Computes(const Phase& phase) {
  switch (phase.kind) {
    case PhaseKind::kDispatch:
    case PhaseKind::kCombine:
    case PhaseKind::kGather:
    case PhaseKind::kScatter:
    case PhaseKind::kReduce:
    case PhaseKind::kExchange:
      return false;
    default:
      return true;
  }
}

int64_t ExpertRows(const ModelConfig& m, const WorkShape& s) {
  return m.experts_per_token * s.shard();
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
