#include "sim/model/kernels.h"
#include "sim/model/layer_work.h"

namespace pipescope::model {
namespace {

// An MLP of width f over `rows` rows, `groups` experts at once.
struct Mlp {
  const char *up, *act, *act_backward, *down;
  int64_t rows, f, groups;
};

// Gate and up-projection are one GEMM.
int64_t UpWidth(const ModelConfig& m, const Mlp& g) { return m.gated ? 2 * g.f : g.f; }

void Forward(KernelList& list, const ModelConfig& m, const WorkShape& s, const Mlp& g) {
  const double f = static_cast<double>(g.f), up = static_cast<double>(UpWidth(m, g));
  list.Forward(g.up, g.rows, UpWidth(m, g), m.hidden, true, g.groups)
      .Memory(g.act, g.rows, 2 * up + f * (s.fp8 ? kFp8Bytes : 2))
      .Forward(g.down, g.rows, m.hidden, g.f, true, g.groups);
}

void InputGrad(KernelList& list, const ModelConfig& m, const WorkShape& s, const Mlp& g) {
  const double f = static_cast<double>(g.f), up = static_cast<double>(UpWidth(m, g));
  const double saved = s.fp8 ? kFp8Bytes : 2;
  list.InputGrad(g.down, g.rows, m.hidden, g.f, true, g.groups)
      // Reads the gradient and the saved input, writes its gradient and, again, the output.
      .Memory(g.act_backward, g.rows, f * (2 + (s.again() ? saved : 0)) + 2 * up * saved)
      .InputGrad(g.up, g.rows, UpWidth(m, g), m.hidden, true, g.groups);
}

void WeightGrad(KernelList& list, const ModelConfig& m, const Mlp& g) {
  list.Transpose(g.act, g.rows, g.f + m.hidden)
      .WeightGrad(g.down, g.rows, m.hidden, g.f, true, g.groups)
      .Transpose(g.act_backward, g.rows, UpWidth(m, g) + m.hidden)
      .WeightGrad(g.up, g.rows, UpWidth(m, g), m.hidden, true, g.groups);
}

Mlp DenseMlp(const ModelConfig& m, const WorkShape& s) {
  return {"gate_up", "swiglu", "swiglu_backward", "down", s.tokens, m.dense_intermediate / s.tensor,
          1};
}

Mlp SharedMlp(const ModelConfig& m, const WorkShape& s) {
  return {"shared_gate_up",
          "shared_swiglu",
          "shared_swiglu_backward",
          "shared_down",
          s.tokens,
          m.shared_intermediate / s.tensor,
          1};
}

Mlp ExpertMlp(const ModelConfig& m, const WorkShape& s) {
  return {"expert_gate_up",
          "expert_swiglu",
          "expert_swiglu_backward",
          "expert_down",
          ExpertRows(m, s),
          m.expert_intermediate,
          m.routed_experts / s.expert_parallel};
}

}  // namespace

std::vector<Phase> MlpForward(const ModelConfig& m, const WorkShape& s, bool moe) {
  const double d = static_cast<double>(m.hidden);
  KernelList list(s, PhaseKind::kMlp, Pass::kForward);
  if (!moe) {
    list.Gather(m.hidden);
    Forward(list, m, s, DenseMlp(m, s));
    list.Scatter(m.hidden);
  } else {
    const Mlp experts = ExpertMlp(m, s);
    if (s.permute_twice) list.Memory("permute_copies", experts.rows, d * 4);
    list.Memory("permute", experts.rows, d * 2 * (s.fp8 ? kFp8Bytes : 2));
    Forward(list, m, s, experts);
    list.Memory("unpermute", experts.rows, d * 4);
    if (s.permute_twice) list.Memory("unpermute_copies", experts.rows, d * 4);
    if (m.shared_intermediate > 0) {
      list.Gather(m.hidden);
      Forward(list, m, s, SharedMlp(m, s));
      list.Scatter(m.hidden);
    }
  }
  return list.Sharded("residual_add", 6 * d).Take();
}

std::vector<Phase> MlpInputGrad(const ModelConfig& m, const WorkShape& s, bool moe) {
  const double d = static_cast<double>(m.hidden);
  KernelList list(s, PhaseKind::kMlp, Pass::kInputGrad);
  if (!moe) list.Gather(m.hidden);
  list.Cast("mlp_grad_cast", moe ? s.shard() : s.tokens, m.hidden);
  if (!moe) {
    list.GatherBeside(m.hidden);
    InputGrad(list, m, s, DenseMlp(m, s));
    list.ScatterBeside(m.hidden);
  } else {
    const Mlp experts = ExpertMlp(m, s);
    if (s.permute_twice) list.Memory("permute_copies_backward", experts.rows, d * 4);
    list.Memory("permute_backward", experts.rows, d * 2 * (s.fp8 ? kFp8Bytes : 2));
    InputGrad(list, m, s, experts);
    list.Memory("unpermute_backward", experts.rows, d * 4);
    if (s.permute_twice) list.Memory("unpermute_copies_backward", experts.rows, d * 4);
    if (m.shared_intermediate > 0) {
      list.Gather(m.hidden).GatherBeside(m.hidden);
      InputGrad(list, m, s, SharedMlp(m, s));
      list.ScatterBeside(m.hidden);
    }
  }
  return list.Take();
}

std::vector<Phase> MlpWeightGrad(const ModelConfig& m, const WorkShape& s, bool moe) {
  KernelList list(s, PhaseKind::kMlp, Pass::kWeightGrad);
  if (!moe) {
    WeightGrad(list, m, DenseMlp(m, s));
  } else {
    WeightGrad(list, m, ExpertMlp(m, s));
    if (m.shared_intermediate > 0) WeightGrad(list, m, SharedMlp(m, s));
  }
  return list.Take();
}

}  // namespace pipescope::model
