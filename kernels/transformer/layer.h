// One layer's weights and its two halves on a tape.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/transformer/config.h"
#include "kernels/transformer/expert_rows.h"
#include "kernels/transformer/operations.h"

namespace pipescope::transformer {

using Parameters = std::vector<Parameter*>;

// Multi-head latent attention with its norm and residual:
//
//   c_q = norm(W_dq x)      q = W_uq c_q, the last `rotary` channels of each head turned
//   c_kv, k_r = W_dkv x     k, v of each head = W_ukv norm(c_kv); k is [k, turned k_r]
//
// Source: arXiv 2412.19437, equations 1 to 11.
class LatentAttention {
 public:
  LatentAttention(const ModelConfig& model, const std::string& name);
  Tensor Forward(Tape& tape, const Tensor& x);
  void AddTo(Parameters& all);

 private:
  const ModelConfig& m_;
  Parameter norm_, q_down_, q_norm_, q_up_, kv_down_, kv_norm_, kv_up_, out_;
};

// down(swiglu(up x)), without residual. `up` holds gate and up projection.
struct FeedForward {
  Parameter up, down;

  FeedForward(const ModelConfig& model, const std::string& name, int64_t width);
  Tensor Forward(Tape& tape, const Tensor& x);
};

// Which groups of experts (expert_rows.h) a rank has, of those there are.
struct ExpertShare {
  int first = 0, count = 1;
};

// One micro-batch between the parts of a MoE layer.
struct MoePass {
  std::unique_ptr<ExpertRows> carried;
  Tensor x, to_shared, to_experts;
  Choice choice;
  std::vector<Arrived> arrived;
  std::vector<Tensor> rows, weights, results;  // one for each arrived
  Tensor combined, shared;
};

// The mlp of a layer with its norm and residual: dense, or a shared and routed experts.
//
// Where experts are cut into groups it runs in parts, two of which travel beside computation:
//
//   gate --> dispatch --> experts --> combine --> sum        norm, router at the gate; the
//     +----> shared ---------------------------->+           residual in the sum
class LayerMlp {
 public:
  LayerMlp(const ModelConfig& model, const std::string& name, bool dense, const ExpertShare& share);
  bool dense() const { return router_ == nullptr; }
  Tensor Forward(Tape& tape, const Tensor& x);
  void AddTo(Parameters& all);

  void Gate(Tape& tape, const Tensor& x, MoePass& pass);
  void Dispatch(Tape& tape, MoePass& pass);
  void Shared(Tape& tape, MoePass& pass);
  void Experts(Tape& tape, MoePass& pass);
  void Combine(Tape& tape, MoePass& pass);
  Tensor Sum(Tape& tape, const MoePass& pass);

 private:
  Tensor Expert(Tape& tape, const Tensor& rows, const Routing& routing, int group);

  const ModelConfig& m_;
  const ExpertShare share_;
  Parameter norm_;
  FeedForward always_;                 // the dense mlp, or the shared expert
  std::unique_ptr<Parameter> router_;  // null where dense
  std::vector<std::unique_ptr<Parameter>> ups_, downs_;
};

struct Layer {
  LatentAttention attention;
  LayerMlp mlp;

  Layer(const ModelConfig& model, const std::string& name, bool dense, const ExpertShare& share)
      : attention(model, name + ".attention"), mlp(model, name + ".mlp", dense, share) {}
};

}  // namespace pipescope::transformer
