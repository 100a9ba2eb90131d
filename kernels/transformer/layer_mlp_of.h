// The definitions of layer.h's mlp, for the machines that instantiate them.
#pragma once

#include <utility>

#include "kernels/transformer/layer_of.h"

namespace pipescope::transformer {

template <class M>
LayerMlp<M>::LayerMlp(const ModelConfig& m, const std::string& name, bool dense,
                      const ExpertShare& share, const M& machine)
    : m_(m),
      share_(share),
      norm_(machine.Weights(name + ".norm", 1, m.hidden, 0, m.bf16)),
      always_(m, name + (dense ? ".dense" : ".shared"), dense ? m.dense_hidden : m.shared_hidden,
              machine) {
  if (dense) return;
  const auto make = [&](const std::string& of, int64_t rows, int64_t columns) {
    return std::unique_ptr<Parameter>(
        new Parameter(machine.Weights(of, rows, columns, SpreadOf(columns), m.bf16)));
  };
  const int64_t width = m.expert_hidden, of_group = m.routing.experts / m.expert_groups;
  router_ = make(name + ".router", m.routing.experts, m.hidden);
  for (int64_t e = share.first * of_group; e < (share.first + share.count) * of_group; ++e) {
    const std::string expert = name + ".expert" + std::to_string(e);
    ups_.push_back(make(expert + ".up", 2 * width, m.hidden));
    downs_.push_back(make(expert + ".down", m.hidden, width));
  }
}

template <class M>
typename M::Tensor LayerMlp<M>::Forward(Tape& tape, const Tensor& x) {
  const Tensor normed = Norm(tape, x, norm_);
  const Tensor y = Add(tape, x, always_.Forward(tape, normed));
  if (dense()) return y;
  const auto choice = Choose(tape, WideLinear(tape, normed, *router_), m_.routing);
  const auto routing = Route(tape, choice.experts, choice.weights, m_.routing.experts);
  return Add(tape, y, Expert(tape, normed, routing, share_.first));
}

// The group's experts, each on its rows, added up with their weights.
template <class M>
typename M::Tensor LayerMlp<M>::Expert(Tape& tape, const Tensor& x,
                                       const typename M::Routing& routing, int group) {
  const size_t count = routing.by->counts.size();
  const size_t first = static_cast<size_t>(group - share_.first) * count;
  const Tensor rows = Permute(tape, x, routing);
  const std::span<const std::unique_ptr<Parameter>> ups = ups_, downs = downs_;
  const Tensor wide = SwiGlu(tape, Grouped(tape, rows, ups.subspan(first, count), routing));
  return Unpermute(tape, Grouped(tape, wide, downs.subspan(first, count), routing), routing);
}

template <class M>
void LayerMlp<M>::Gate(Tape& tape, const Tensor& x, Pass& pass) {
  const Tensor normed = Norm(tape, x, norm_);
  pass.choice = Choose(tape, WideLinear(tape, normed, *router_), m_.routing);
  pass.x = x;
  pass.to_shared = Copy(tape, normed);
  pass.to_experts = Copy(tape, normed);
}

template <class M>
void LayerMlp<M>::Dispatch(Tape& tape, Pass& pass) {
  pass.arrived = SendRows(tape, *pass.carried, pass.to_experts, pass.choice);
}

template <class M>
void LayerMlp<M>::Shared(Tape& tape, Pass& pass) {
  pass.shared = always_.Forward(tape, pass.to_shared);
}

// The rows of each rank on their own: what a grouped GEMM of all of them would round otherwise, so
// that results are those of one rank to the bit.
template <class M>
void LayerMlp<M>::Experts(Tape& tape, Pass& pass) {
  const int64_t of_group = m_.routing.experts / m_.expert_groups;
  for (const auto& arrived : pass.arrived) {
    const bool none = IsEmpty(arrived.rows);
    const auto result = [&] {
      const auto routing = Route(tape, arrived.experts, arrived.weights, of_group);
      return Expert(tape, arrived.rows, routing, arrived.group);
    };
    pass.results.push_back(none ? arrived.rows : result());
  }
}

template <class M>
void LayerMlp<M>::Combine(Tape& tape, Pass& pass) {
  pass.combined = CollectRows(tape, *pass.carried, pass.results);
}

template <class M>
typename M::Tensor LayerMlp<M>::Sum(Tape& tape, const Pass& pass) {
  return Add(tape, Add(tape, pass.x, pass.shared), pass.combined);
}

template <class M>
void LayerMlp<M>::AddTo(ParametersOf<M>& all) {
  all.insert(all.end(), {&norm_, &always_.up, &always_.down});
  if (router_ != nullptr) all.push_back(router_.get());
  for (const auto& p : ups_) all.push_back(p.get());
  for (const auto& p : downs_) all.push_back(p.get());
}

}  // namespace pipescope::transformer
