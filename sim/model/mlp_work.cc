#include "sim/model/kernels.h"
#include "sim/model/layer_work.h"

namespace pipescope::model {
namespace {

// An MLP of width f over `rows` rows, `groups` experts at once. `arrives_fp8`: its input and its
// output's gradient come from other GPUs in FP8.
struct Mlp {
  const char *up, *act, *act_backward, *down;
  int64_t rows, f, groups;
  bool arrives_fp8 = false;
};

// Gate and up-projection are one GEMM.
int64_t UpWidth(const ModelConfig& m, const Mlp& g) { return m.gated ? 2 * g.f : g.f; }

// SwiGLU writes its output in FP8 at once. Its input is kept in FP8, where it is computed again.
void Forward(KernelList& list, const ModelConfig& m, const WorkShape& s, const Mlp& g) {
  const double f = static_cast<double>(g.f), up = static_cast<double>(UpWidth(m, g));
  if (g.arrives_fp8) list.TransposeWeights("weight_transpose", UpWidth(m, g), m.hidden, g.groups);
  list.Forward(g.up, g.rows, UpWidth(m, g), m.hidden, true, g.groups)
      .Memory(g.act, g.rows, 2 * up + f * (s.fp8 ? kFp8Bytes : 2));
  if (g.arrives_fp8) list.TransposeWeights("weight_transpose", m.hidden, g.f, g.groups);
  list.Forward(g.down, g.rows, m.hidden, g.f, true, g.groups);
  if (s.again()) list.Cast("act_input_keep", g.rows, UpWidth(m, g));
}

void InputGrad(KernelList& list, const ModelConfig& m, const WorkShape& s, const Mlp& g) {
  const double f = static_cast<double>(g.f), up = static_cast<double>(UpWidth(m, g));
  const double saved = s.fp8 && s.again() ? kFp8Bytes : 2;
  if (!g.arrives_fp8) {
    list.TransposeWeights("weight_transpose", m.hidden, g.f)
        .CastBack("input_cast_back", g.rows, m.hidden);
    if (s.again()) list.CastBack("act_input_cast_back", g.rows, UpWidth(m, g));
  }
  list.InputGrad(g.down, g.rows, m.hidden, g.f, true, g.groups)
      // Reads the gradient and the saved input, writes its gradient and, again, the output.
      .Memory(g.act_backward, g.rows, f * (2 + (s.again() ? 2 : 0)) + up * (saved + 2))
      .Cast("act_cast", g.rows, g.f)
      .Cast("act_grad_cast", g.rows, UpWidth(m, g));
  if (!g.arrives_fp8) list.TransposeWeights("weight_transpose", UpWidth(m, g), m.hidden);
  list.InputGrad(g.up, g.rows, UpWidth(m, g), m.hidden, true, g.groups)
      .Cast("act_grad_cast", g.rows, UpWidth(m, g));
  if (!g.arrives_fp8) {
    list.Cast("wgrad_input_cast", g.rows, m.hidden).Cast("wgrad_grad_cast", g.rows, m.hidden);
  }
}

void WeightGrad(KernelList& list, const ModelConfig& m, const Mlp& g) {
  if (g.arrives_fp8) list.Recast("wgrad_grad_cast", g.rows, m.hidden);
  list.WeightGrad(g.down, g.rows, m.hidden, g.f, true, g.groups);
  if (g.arrives_fp8) list.Recast("wgrad_input_cast", g.rows, m.hidden);
  list.WeightGrad(g.up, g.rows, UpWidth(m, g), m.hidden, true, g.groups);
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
          m.routed_experts / s.expert_parallel,
          true};
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
  if (s.again()) {
    // The weight gradient of the up-projection wants the norm's output again.
    list.Norm("post_norm_again", s.shard(), m.hidden);
  }
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
