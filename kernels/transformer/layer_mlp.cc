// The mlp of a layer, of layer.h.
#include <cmath>

#include "kernels/transformer/layer.h"

namespace pipescope::transformer {
namespace {

// So that a linear layer keeps the size of what goes in.
double SpreadOf(int64_t in) { return 1 / std::sqrt(static_cast<double>(in)); }

std::vector<float> GradientOf(const Tensor& x) {
  return x->gradient.empty() ? std::vector<float>(x->value.size()) : x->gradient;
}

}  // namespace

LayerMlp::LayerMlp(const ModelConfig& m, const std::string& name, bool dense,
                   const ExpertShare& share)
    : m_(m),
      share_(share),
      norm_(name + ".norm", 1, m.hidden, 0, m.bf16),
      always_(m, name + (dense ? ".dense" : ".shared"), dense ? m.dense_hidden : m.shared_hidden) {
  if (dense) return;
  const int64_t width = m.expert_hidden, of_group = m.routing.experts / m.expert_groups;
  router_ = std::make_unique<Parameter>(name + ".router", m.routing.experts, m.hidden,
                                        SpreadOf(m.hidden), m.bf16);
  for (int64_t e = share.first * of_group; e < (share.first + share.count) * of_group; ++e) {
    const std::string expert = name + ".expert" + std::to_string(e);
    ups_.push_back(std::make_unique<Parameter>(expert + ".up", 2 * width, m.hidden,
                                               SpreadOf(m.hidden), m.bf16));
    downs_.push_back(
        std::make_unique<Parameter>(expert + ".down", m.hidden, width, SpreadOf(width), m.bf16));
  }
}

Tensor LayerMlp::Forward(Tape& tape, const Tensor& x) {
  const Tensor normed = Norm(tape, x, norm_);
  const Tensor y = Add(tape, x, always_.Forward(tape, normed));
  if (dense()) return y;
  const Choice choice = Choose(tape, WideLinear(tape, normed, *router_), m_.routing);
  const Routing routing = Route(choice.experts, choice.weights, m_.routing.experts);
  return Add(tape, y, Expert(tape, normed, routing, share_.first));
}

// The group's experts, each on its rows, added up with their weights.
Tensor LayerMlp::Expert(Tape& tape, const Tensor& x, const Routing& routing, int group) {
  const size_t count = routing.by->counts.size();
  const size_t first = static_cast<size_t>(group - share_.first) * count;
  const Tensor rows = Permute(tape, x, routing);
  const ExpertWeights ups = ups_, downs = downs_;
  const Tensor wide = SwiGlu(tape, Grouped(tape, rows, ups.subspan(first, count), routing));
  return Unpermute(tape, Grouped(tape, wide, downs.subspan(first, count), routing), routing);
}

void LayerMlp::Gate(Tape& tape, const Tensor& x, MoePass& pass) {
  const Tensor normed = Norm(tape, x, norm_);
  pass.choice = Choose(tape, WideLinear(tape, normed, *router_), m_.routing);
  pass.x = x;
  pass.to_shared = Copy(tape, normed);
  pass.to_experts = Copy(tape, normed);
}

void LayerMlp::Dispatch(Tape& tape, MoePass& pass) {
  const Tensor& x = pass.to_experts;
  const Tensor& weights = pass.choice.weights;
  pass.arrived = pass.carried->Dispatch(x->value, pass.choice.experts, weights->value);
  for (Arrived& arrived : pass.arrived) {
    pass.rows.push_back(tape.Make(std::move(arrived.rows), m_.hidden));
    pass.weights.push_back(tape.Make(std::move(arrived.weights), m_.routing.selected));
  }
  tape.Record([&tape, &pass] {
    RowLists rows, of_weights;
    for (const Tensor& t : pass.rows) rows.push_back(GradientOf(t));
    for (const Tensor& t : pass.weights) of_weights.push_back(GradientOf(t));
    Combined sums = pass.carried->Combine(rows, of_weights);
    tape.AddGradient(pass.to_experts, std::move(sums.values));
    tape.AddGradient(pass.choice.weights, std::move(sums.weights));
  });
}

void LayerMlp::Shared(Tape& tape, MoePass& pass) {
  pass.shared = always_.Forward(tape, pass.to_shared);
}

// The rows of each rank on their own: what a grouped GEMM of all of them would round otherwise, so
// that results are those of one rank to the bit.
void LayerMlp::Experts(Tape& tape, MoePass& pass) {
  const int64_t of_group = m_.routing.experts / m_.expert_groups;
  for (size_t i = 0; i < pass.arrived.size(); ++i) {
    const bool none = pass.rows[i]->value.empty();
    const Routing routing = Route(pass.arrived[i].experts, pass.weights[i], of_group);
    pass.results.push_back(none ? tape.Make({}, m_.hidden)
                                : Expert(tape, pass.rows[i], routing, pass.arrived[i].group));
  }
}

void LayerMlp::Combine(Tape& tape, MoePass& pass) {
  RowLists rows;
  for (const Tensor& result : pass.results) rows.push_back(result->value);
  pass.combined = tape.Make(pass.carried->Combine(rows, {}).values, m_.hidden);
  tape.Record([&tape, &pass] {
    auto gradients = pass.carried->DispatchAgain(pass.combined->gradient);
    for (size_t i = 0; i < gradients.size(); ++i) {
      tape.AddGradient(pass.results[i], std::move(gradients[i]));
    }
  });
}

Tensor LayerMlp::Sum(Tape& tape, const MoePass& pass) {
  return Add(tape, Add(tape, pass.x, pass.shared), pass.combined);
}

void LayerMlp::AddTo(Parameters& all) {
  all.insert(all.end(), {&norm_, &always_.up, &always_.down});
  if (router_ != nullptr) all.push_back(router_.get());
  for (const auto& p : ups_) all.push_back(p.get());
  for (const auto& p : downs_) all.push_back(p.get());
}

}  // namespace pipescope::transformer
