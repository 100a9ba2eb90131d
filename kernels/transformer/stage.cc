#include "kernels/transformer/stage.h"

#include <cmath>

namespace pipescope::transformer {

const char* NameOf(PartKind kind) {
  constexpr const char* kNames[kPartKinds] = {"embedding", "attention", "mlp", "mtp", "head"};
  return kNames[static_cast<size_t>(kind)];
}

Stage::Stage(const ModelConfig& model, const Text& text, int stage, int stages)
    : m_(model), text_(text) {
  if (stage == 0) AddEmbedding();
  const auto first = [&](int s) { return s * model.layers / stages; };
  for (int64_t layer = first(stage); layer < first(stage + 1); ++layer) {
    AddLayer("layer" + std::to_string(layer), layer < model.dense_layers);
  }
  if (stage < stages - 1) return;
  AddHead();
  if (model.mtp) AddMtp();
  parts_.push_back({PartKind::kHead, [this](Pass& p, const Tensor& h) { return RunHead(p, h); }});
}

Parameter& Stage::Own(const std::string& name, int64_t rows, int64_t columns, double spread) {
  own_.push_back(std::make_unique<Parameter>(name, rows, columns, spread, m_.bf16));
  parameters_.push_back(own_.back().get());
  return *own_.back();
}

void Stage::AddEmbedding() {
  table_ = &Own("embedding", m_.vocabulary, m_.hidden, 1);
  parts_.push_back({PartKind::kEmbedding, [this](Pass& pass, const Tensor&) {
                      const auto ids = std::span(pass.tokens).first(static_cast<size_t>(m_.tokens));
                      return Embed(pass.tape, *table_, ids);
                    }});
}

void Stage::AddLayer(const std::string& name, bool dense) {
  layers_.push_back(std::make_unique<Layer>(m_, name, dense));
  Layer* layer = layers_.back().get();
  layer->attention.AddTo(parameters_);
  layer->mlp.AddTo(parameters_);
  parts_.push_back({PartKind::kAttention, [layer](Pass& pass, const Tensor& x) {
                      return layer->attention.Forward(pass.tape, x);
                    }});
  parts_.push_back({PartKind::kMlp, [layer](Pass& pass, const Tensor& x) {
                      return layer->mlp.Forward(pass.tape, x);
                    }});
}

void Stage::AddHead() {
  final_norm_ = &Own("final_norm", 1, m_.hidden, 0);
  head_ = &Own("head", m_.vocabulary, m_.hidden, 1 / std::sqrt(static_cast<double>(m_.hidden)));
}

void Stage::AddMtp() {
  if (table_ == nullptr) table_ = &Own("embedding", m_.vocabulary, m_.hidden, 1);
  mtp_.h_norm = &Own("mtp.h_norm", 1, m_.hidden, 0);
  mtp_.e_norm = &Own("mtp.e_norm", 1, m_.hidden, 0);
  mtp_.join =
      &Own("mtp.join", m_.hidden, 2 * m_.hidden, 1 / std::sqrt(2 * static_cast<double>(m_.hidden)));
  mtp_.out_norm = &Own("mtp.out_norm", 1, m_.hidden, 0);
  layers_.push_back(std::make_unique<Layer>(m_, "mtp.layer", m_.dense_layers == m_.layers));
  mtp_.layer = layers_.back().get();
  mtp_.layer->attention.AddTo(parameters_);
  mtp_.layer->mlp.AddTo(parameters_);
  parts_.push_back({PartKind::kMtp, [this](Pass& p, const Tensor& h) { return RunMtp(p, h); }});
}

// Predicts the token after the next; h itself goes on to the head.
Tensor Stage::RunMtp(Pass& pass, const Tensor& h) {
  const size_t count = static_cast<size_t>(m_.tokens);
  Tape& tape = pass.tape;
  const Tensor next = Embed(tape, *table_, std::span(pass.tokens).subspan(1, count));
  const Tensor both = Beside(tape, Norm(tape, h, *mtp_.h_norm), m_.hidden,
                             Norm(tape, next, *mtp_.e_norm), m_.hidden, 1);
  const Tensor joined = Linear(tape, both, *mtp_.join);
  const Tensor out = mtp_.layer->mlp.Forward(tape, mtp_.layer->attention.Forward(tape, joined));
  const Tensor logits = Linear(tape, Norm(tape, out, *mtp_.out_norm), *head_);
  pass.losses.mtp = Loss(tape, logits, std::span(pass.tokens).subspan(2, count),
                         pass.batch.loss_weight * m_.mtp_weight);
  return h;
}

Tensor Stage::RunHead(Pass& pass, const Tensor& h) {
  Tape& tape = pass.tape;
  const Tensor logits = Linear(tape, Norm(tape, h, *final_norm_), *head_);
  const auto targets = std::span(pass.tokens).subspan(1, static_cast<size_t>(m_.tokens));
  pass.losses.head = Loss(tape, logits, targets, pass.batch.loss_weight);
  return logits;
}

void Stage::Begin(int microbatch, const Batch& batch, std::vector<float> input) {
  auto& pass = passes_[microbatch];
  pass = std::make_unique<Pass>(m_.bf16, batch);
  pass->tokens = text_.Read(batch.index, m_.tokens + 2);
  pass->last = pass->input = pass->tape.Make(std::move(input), m_.hidden);
}

void Stage::Forward(int microbatch, size_t part) {
  Pass& pass = At(microbatch);
  pass.tape.StartPart();
  pass.last = parts_[part].run(pass, pass.last);
  if (parts_[part].kind == PartKind::kHead) losses_[microbatch] = pass.losses;
}

std::vector<float> Stage::Output(int microbatch) { return At(microbatch).last->value; }

void Stage::BeginBackward(int microbatch, std::vector<float> gradient) {
  At(microbatch).last->gradient = std::move(gradient);
}

void Stage::InputGradient(int microbatch, size_t part) { At(microbatch).tape.InputGradient(part); }

std::vector<float> Stage::OutputGradient(int microbatch) {
  Pass& pass = At(microbatch);
  pass.last.reset();  // deferred weight gradients hold what they need
  return std::move(pass.input->gradient);
}

void Stage::WeightGradient(int microbatch, size_t part) {
  At(microbatch).tape.WeightGradient(part);
}

std::map<int, Stage::Losses> Stage::TakeLosses() { return std::exchange(losses_, {}); }

}  // namespace pipescope::transformer
