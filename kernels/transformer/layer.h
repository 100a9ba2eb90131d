// One layer's weights and its two halves on a tape.
//
// Written once for all machines: M (machine.h) says what a tensor, a weight matrix and a tape are,
// and its namespace has the operations. layer_of.h has the definitions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/transformer/config.h"
#include "kernels/transformer/machine.h"

namespace pipescope::transformer {

template <class M>
using ParametersOf = std::vector<typename M::Parameter*>;
using Parameters = ParametersOf<OnCpu>;

// Multi-head latent attention with its norm and residual:
//
//   c_q = norm(W_dq x)      q = W_uq c_q, the last `rotary` channels of each head turned
//   c_kv, k_r = W_dkv x     k, v of each head = W_ukv norm(c_kv); k is [k, turned k_r]
//
// Source: arXiv 2412.19437, equations 1 to 11.
template <class M>
class LatentAttention {
 public:
  using Tape = typename M::Tape;
  using Tensor = typename M::Tensor;

  LatentAttention(const ModelConfig& model, const std::string& name, const M& machine);
  Tensor Forward(Tape& tape, const Tensor& x);
  void AddTo(ParametersOf<M>& all);

 private:
  const ModelConfig& m_;
  typename M::Parameter norm_, q_down_, q_norm_, q_up_, kv_down_, kv_norm_, kv_up_, out_;
};

// down(swiglu(up x)), without residual. `up` holds gate and up projection.
template <class M>
struct FeedForward {
  typename M::Parameter up, down;

  FeedForward(const ModelConfig& model, const std::string& name, int64_t width, const M& machine);
  typename M::Tensor Forward(typename M::Tape& tape, const typename M::Tensor& x);
};

// Which groups of experts (expert_rows.h) a rank has, of those there are.
struct ExpertShare {
  int first = 0, count = 1;
};

// One micro-batch between the parts of a MoE layer.
template <class M>
struct MoePass {
  using Tensor = typename M::Tensor;

  std::unique_ptr<typename M::Carried> carried;
  Tensor x, to_shared, to_experts;
  typename M::Choice choice;
  std::vector<typename M::Arrived> arrived;
  std::vector<Tensor> results;  // one for each arrived
  Tensor combined, shared;
};

// The mlp of a layer with its norm and residual: dense, or a shared and routed experts.
//
// Where experts are cut into groups it runs in parts, two of which travel beside computation:
//
//   gate --> dispatch --> experts --> combine --> sum        norm, router at the gate; the
//     +----> shared ---------------------------->+           residual in the sum
template <class M>
class LayerMlp {
 public:
  using Tape = typename M::Tape;
  using Tensor = typename M::Tensor;
  using Parameter = typename M::Parameter;
  using Pass = MoePass<M>;

  LayerMlp(const ModelConfig& model, const std::string& name, bool dense, const ExpertShare& share,
           const M& machine);
  bool dense() const { return router_ == nullptr; }
  Tensor Forward(Tape& tape, const Tensor& x);
  void AddTo(ParametersOf<M>& all);

  void Gate(Tape& tape, const Tensor& x, Pass& pass);
  void Dispatch(Tape& tape, Pass& pass);
  void Shared(Tape& tape, Pass& pass);
  void Experts(Tape& tape, Pass& pass);
  void Combine(Tape& tape, Pass& pass);
  Tensor Sum(Tape& tape, const Pass& pass);

 private:
  Tensor Expert(Tape& tape, const Tensor& rows, const typename M::Routing& routing, int group);

  const ModelConfig& m_;
  const ExpertShare share_;
  Parameter norm_;
  FeedForward<M> always_;              // the dense mlp, or the shared expert
  std::unique_ptr<Parameter> router_;  // null where dense
  std::vector<std::unique_ptr<Parameter>> ups_, downs_;
};

template <class M>
struct Layer {
  LatentAttention<M> attention;
  LayerMlp<M> mlp;

  Layer(const ModelConfig& model, const std::string& name, bool dense, const ExpertShare& share,
        const M& machine)
      : attention(model, name + ".attention", machine),
        mlp(model, name + ".mlp", dense, share, machine) {}
};

}  // namespace pipescope::transformer
