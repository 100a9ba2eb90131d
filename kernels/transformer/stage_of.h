// The definitions of stage.h, for the machines that instantiate them.
#pragma once

#include <cmath>
#include <utility>

#include "kernels/transformer/stage.h"

namespace pipescope::transformer {

template <class M>
BasicStage<M>::BasicStage(const ModelConfig& model, const Text& text, int stage, int stages,
                          const ExpertShare& share, typename M::Carrier* carrier, M machine)
    : m_(model), text_(text), share_(share), carrier_(carrier), machine_(std::move(machine)) {
  if (stage == 0) AddEmbedding();
  const auto first = [&](int s) { return s * model.layers / stages; };
  for (int64_t layer = first(stage); layer < first(stage + 1); ++layer) {
    AddLayer("layer" + std::to_string(layer), layer < model.dense_layers);
  }
  if (stage < stages - 1) return;
  AddHead();
  if (model.mtp) AddMtp();
  AddPart(PartKind::kHead, [this](Pass& p, Tape& tape) { RunHead(p, tape); });
}

template <class M>
void BasicStage<M>::AddPart(PartKind kind, std::function<void(Pass&, Tape&)> run) {
  std::vector<size_t> takes;
  if (!parts_.empty()) takes.push_back(parts_.size() - 1);
  parts_.push_back({kind, std::move(takes), std::move(run)});
}

template <class M>
typename M::Parameter& BasicStage<M>::Own(const std::string& name, int64_t rows, int64_t columns,
                                          double spread) {
  own_.push_back(std::unique_ptr<Parameter>(
      new Parameter(machine_.Weights(name, rows, columns, spread, m_.bf16))));
  parameters_.push_back(own_.back().get());
  return *own_.back();
}

template <class M>
void BasicStage<M>::AddEmbedding() {
  table_ = &Own("embedding", m_.vocabulary, m_.hidden, 1);
  AddPart(PartKind::kEmbedding, [this](Pass& pass, Tape& tape) {
    const auto ids = std::span(pass.tokens).first(static_cast<size_t>(m_.tokens));
    pass.last = Embed(tape, *table_, ids);
  });
}

template <class M>
Layer<M>* BasicStage<M>::MakeLayer(const std::string& name, bool dense) {
  layers_.push_back(std::make_unique<Layer>(m_, name, dense, share_, machine_));
  Layer* layer = layers_.back().get();
  layer->attention.AddTo(parameters_);
  layer->mlp.AddTo(parameters_);
  return layer;
}

template <class M>
void BasicStage<M>::AddLayer(const std::string& name, bool dense) {
  Layer* layer = MakeLayer(name, dense);
  AddPart(PartKind::kAttention, [layer](Pass& pass, Tape& tape) {
    pass.last = layer->attention.Forward(tape, pass.last);
  });
  AddMlp(layer);
}

template <class M>
void BasicStage<M>::AddMlp(Layer* layer) {
  LayerMlp<M>* mlp = &layer->mlp;
  if (mlp->dense() || m_.expert_groups == 1) {
    AddPart(PartKind::kMlp,
            [mlp](Pass& pass, Tape& tape) { pass.last = mlp->Forward(tape, pass.last); });
    return;
  }
  const size_t gate = parts_.size();
  AddPart(PartKind::kGate, [this, mlp, layer](Pass& pass, Tape& tape) {
    MoePass<M>& moe = pass.moe[layer];
    moe.carried = carrier_->Open();
    mlp->Gate(tape, pass.last, moe);
  });
  using Run = void (LayerMlp<M>::*)(Tape&, MoePass<M>&);
  const auto add = [&](PartKind kind, Run run) {
    AddPart(kind,
            [mlp, layer, run](Pass& pass, Tape& tape) { (mlp->*run)(tape, pass.moe.at(layer)); });
  };
  add(PartKind::kDispatch, &LayerMlp<M>::Dispatch);
  add(PartKind::kShared, &LayerMlp<M>::Shared);
  add(PartKind::kExperts, &LayerMlp<M>::Experts);
  add(PartKind::kCombine, &LayerMlp<M>::Combine);
  parts_[gate + 2].takes = {gate};      // shared
  parts_[gate + 3].takes = {gate + 1};  // experts: dispatch
  AddPart(PartKind::kSum,
          [mlp, layer](Pass& pass, Tape& tape) { pass.last = mlp->Sum(tape, pass.moe.at(layer)); });
  parts_.back().takes = {gate + 2, gate + 4};
}

template <class M>
void BasicStage<M>::AddHead() {
  final_norm_ = &Own("final_norm", 1, m_.hidden, 0);
  head_ = &Own("head", m_.vocabulary, m_.hidden, 1 / std::sqrt(static_cast<double>(m_.hidden)));
}

template <class M>
void BasicStage<M>::AddMtp() {
  if (table_ == nullptr) table_ = &Own("embedding", m_.vocabulary, m_.hidden, 1);
  mtp_.h_norm = &Own("mtp.h_norm", 1, m_.hidden, 0);
  mtp_.e_norm = &Own("mtp.e_norm", 1, m_.hidden, 0);
  mtp_.join =
      &Own("mtp.join", m_.hidden, 2 * m_.hidden, 1 / std::sqrt(2 * static_cast<double>(m_.hidden)));
  mtp_.out_norm = &Own("mtp.out_norm", 1, m_.hidden, 0);
  mtp_.layer = MakeLayer("mtp.layer", m_.dense_layers == m_.layers);
  AddPart(PartKind::kMtp, [this](Pass& p, Tape& tape) { RunMtpJoin(p, tape); });
  AddMlp(mtp_.layer);
  AddPart(PartKind::kMtp, [this](Pass& p, Tape& tape) { RunMtpHead(p, tape); });
}

// Predicts the token after the next; h itself goes on to the head.
template <class M>
void BasicStage<M>::RunMtpJoin(Pass& pass, Tape& tape) {
  const auto ids = std::span(pass.tokens).subspan(1, static_cast<size_t>(m_.tokens));
  pass.before_mtp = pass.last;
  const Tensor next = Embed(tape, *table_, ids);
  const Tensor both = Beside(tape, Norm(tape, pass.last, *mtp_.h_norm), m_.hidden,
                             Norm(tape, next, *mtp_.e_norm), m_.hidden, 1);
  pass.last = mtp_.layer->attention.Forward(tape, Linear(tape, both, *mtp_.join));
}

template <class M>
void BasicStage<M>::RunMtpHead(Pass& pass, Tape& tape) {
  const Tensor logits = WideLinear(tape, Norm(tape, pass.last, *mtp_.out_norm), *head_);
  const auto targets = std::span(pass.tokens).subspan(2, static_cast<size_t>(m_.tokens));
  pass.mtp = LossOf(tape, logits, targets, pass.batch.loss_weight * m_.mtp_weight);
  pass.last = pass.before_mtp;
}

template <class M>
void BasicStage<M>::RunHead(Pass& pass, Tape& tape) {
  const Tensor logits = WideLinear(tape, Norm(tape, pass.last, *final_norm_), *head_);
  const auto targets = std::span(pass.tokens).subspan(1, static_cast<size_t>(m_.tokens));
  pass.head = LossOf(tape, logits, targets, pass.batch.loss_weight);
  pass.last = logits;
}

template <class M>
void BasicStage<M>::Begin(int microbatch, const Batch& batch, Payload input) {
  auto pass = std::make_unique<Pass>();
  pass->batch = batch;
  pass->tapes.reserve(parts_.size());  // what is recorded refers to its tape
  for (const Part& part : parts_) {
    pass->tapes.push_back(machine_.MakeTape(m_, Travels(part.kind)));
  }
  pass->tokens = text_.Read(batch.index, m_.tokens + 2);
  pass->last = pass->input = TakeIn(pass->tapes.front(), std::move(input), m_.hidden);
  const std::lock_guard lock(mutex_);
  passes_[microbatch] = std::move(pass);
}

template <class M>
void BasicStage<M>::Forward(int microbatch, size_t part) {
  Pass& pass = At(microbatch);
  parts_[part].run(pass, pass.tapes[part]);
  if (parts_[part].kind == PartKind::kHead) losses_[microbatch] = {pass.head, pass.mtp};
}

template <class M>
typename M::Payload BasicStage<M>::Output(int microbatch) {
  return ValueOut(At(microbatch).last);
}

template <class M>
void BasicStage<M>::BeginBackward(int microbatch, Payload gradient) {
  Pass& pass = At(microbatch);
  GradientIn(pass.tapes.back(), pass.last, std::move(gradient));
}

template <class M>
void BasicStage<M>::InputGradient(int microbatch, size_t part) {
  At(microbatch).tapes[part].InputGradient();
}

template <class M>
typename M::Payload BasicStage<M>::OutputGradient(int microbatch) {
  Pass& pass = At(microbatch);
  pass.last.reset();  // deferred weight gradients hold what they need
  return GradientOut(pass.input);
}

template <class M>
void BasicStage<M>::WeightGradient(int microbatch, size_t part) {
  At(microbatch).tapes[part].WeightGradient();
}

template <class M>
std::map<int, Losses> BasicStage<M>::TakeLosses() {
  std::map<int, Losses> taken;
  for (const auto& [mb, told] : std::exchange(losses_, {})) {
    taken[mb] = {ValueOf(told.head), ValueOf(told.mtp)};
  }
  return taken;
}

}  // namespace pipescope::transformer
