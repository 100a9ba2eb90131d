// One stage of the model: its parts in order, and the micro-batches it holds.
//
//   stage 0                embedding, layers
//   others                 layers
//   the last               layers, MTP, head
//
// Layers are dealt out evenly, what is left over to the last ones of the front: stage s has layers
// [s L / S, (s + 1) L / S). A part (an attention, an mlp) is what the executor's steps are made of:
// forward, input gradient and weight gradient of each part run apart.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernels/transformer/layer.h"
#include "kernels/transformer/text.h"

namespace pipescope::transformer {

enum class PartKind : uint8_t { kEmbedding, kAttention, kMlp, kMtp, kHead };
inline constexpr int kPartKinds = 5;
const char* NameOf(PartKind kind);

// Of which micro-batch, in which step of how many.
struct Batch {
  int64_t index = 0;       // of all micro-batches of all time: where its text begins
  double loss_weight = 1;  // 1 / tokens of the step
};

class Stage {
 public:
  Stage(const ModelConfig& model, const Text& text, int stage, int stages);
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  size_t parts() const { return parts_.size(); }
  PartKind kind(size_t part) const { return parts_[part].kind; }
  const Parameters& parameters() const { return parameters_; }

  // The parts of a micro-batch's passes, each to be called once and in order: forward from the
  // first, the other two from the last. The first stage makes no use of `input`, and the last none
  // of `gradient`. Output returns what the next stage takes, InputGradient's what the one before
  // takes.
  void Begin(int microbatch, const Batch& batch, std::vector<float> input);
  void Forward(int microbatch, size_t part);
  std::vector<float> Output(int microbatch);
  void BeginBackward(int microbatch, std::vector<float> gradient);
  void InputGradient(int microbatch, size_t part);
  std::vector<float> OutputGradient(int microbatch);
  void WeightGradient(int microbatch, size_t part);
  // When all of its weight gradients are there.
  void End(int microbatch) { passes_.erase(microbatch); }

  // Loss of each micro-batch since the last call, summed over its tokens: the head's and the MTP's.
  struct Losses {
    double head = 0, mtp = 0;
  };
  std::map<int, Losses> TakeLosses();

 private:
  struct Pass {
    Pass(bool bf16, const Batch& of) : tape(bf16), batch(of) {}
    Tape tape;
    Batch batch;
    Tensor input, last;
    std::vector<int32_t> tokens;  // of the sequence, and two more
    Losses losses;
  };
  struct Part {
    PartKind kind;
    std::function<Tensor(Pass&, const Tensor&)> run;
  };

  void AddEmbedding();
  void AddLayer(const std::string& name, bool dense);
  void AddMtp();
  void AddHead();
  Tensor RunMtp(Pass& pass, const Tensor& h);
  Tensor RunHead(Pass& pass, const Tensor& h);
  Parameter& Own(const std::string& name, int64_t rows, int64_t columns, double spread);
  Pass& At(int microbatch) { return *passes_.at(microbatch); }

  const ModelConfig& m_;
  const Text& text_;
  std::vector<std::unique_ptr<Parameter>> own_;
  std::vector<std::unique_ptr<Layer>> layers_;
  std::vector<Part> parts_;
  Parameters parameters_;
  Parameter* table_ = nullptr;  // the embedding, where this stage has it
  Parameter *final_norm_ = nullptr, *head_ = nullptr;
  struct Mtp {
    Parameter *h_norm = nullptr, *e_norm = nullptr, *join = nullptr, *out_norm = nullptr;
    Layer* layer = nullptr;
  } mtp_;
  std::map<int, std::unique_ptr<Pass>> passes_;
  std::map<int, Losses> losses_;
};

}  // namespace pipescope::transformer
