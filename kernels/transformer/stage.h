// One stage of the model: its parts in order, and the micro-batches it holds.
//
//   stage 0                embedding, layers
//   others                 layers
//   the last               layers, MTP, head
//
// Layers are dealt out evenly, what is left over to the last ones of the front: stage s has layers
// [s L / S, (s + 1) L / S). A part (an attention, an mlp) is what the executor's steps are made of:
// forward, input gradient and weight gradient of each part run apart.
//
// A template over the machine (machine.h); stage_of.h has the definitions.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kernels/transformer/layer.h"
#include "kernels/transformer/text.h"

namespace pipescope::transformer {

enum class PartKind : uint8_t {
  kEmbedding,
  kAttention,
  kMlp,
  kMtp,
  kHead,
  kGate,
  kDispatch,
  kShared,
  kExperts,
  kCombine,
  kSum
};
inline constexpr int kPartKinds = 11;
const char* NameOf(PartKind kind);
// Whether it runs on the communication lane.
inline bool Travels(PartKind kind) {
  return kind == PartKind::kDispatch || kind == PartKind::kCombine;
}

// Of which micro-batch, in which step of how many.
struct Batch {
  int64_t index = 0;       // of all micro-batches of all time: where its text begins
  double loss_weight = 1;  // 1 / tokens of the step
};

// The head's and the MTP's.
struct Losses {
  double head = 0, mtp = 0;
};

template <class M>
class BasicStage {
 public:
  using Payload = typename M::Payload;

  // `carrier` outlives the stage; null where experts are not cut into groups.
  BasicStage(const ModelConfig& model, const Text& text, int stage, int stages,
             const ExpertShare& share = {}, typename M::Carrier* carrier = nullptr, M machine = {});
  BasicStage(const BasicStage&) = delete;
  BasicStage& operator=(const BasicStage&) = delete;

  size_t parts() const { return parts_.size(); }
  PartKind kind(size_t part) const { return parts_[part].kind; }
  // Parts whose results a part takes.
  const std::vector<size_t>& takes(size_t part) const { return parts_[part].takes; }
  const ParametersOf<M>& parameters() const { return parameters_; }

  // The parts of a micro-batch's passes, each to be called once and after those it takes from,
  // forward, or those that take from it, back; the dispatch and combine of a layer may run beside
  // others. The first stage makes no use of `input`, and the last none
  // of `gradient`. Output returns what the next stage takes, InputGradient's what the one before
  // takes.
  void Begin(int microbatch, const Batch& batch, Payload input);
  void Forward(int microbatch, size_t part);
  Payload Output(int microbatch);
  void BeginBackward(int microbatch, Payload gradient);
  void InputGradient(int microbatch, size_t part);
  Payload OutputGradient(int microbatch);
  void WeightGradient(int microbatch, size_t part);
  // When all of its weight gradients are there.
  void End(int microbatch) {
    const std::lock_guard lock(mutex_);
    passes_.erase(microbatch);
  }

  // Loss of each micro-batch since the last call, summed over its tokens.
  std::map<int, Losses> TakeLosses();

 private:
  using Parameter = typename M::Parameter;
  using Tape = typename M::Tape;
  using Tensor = typename M::Tensor;
  using Layer = transformer::Layer<M>;

  struct Pass {
    std::vector<Tape> tapes;  // [part]
    Batch batch;
    Tensor input, last;
    Tensor before_mtp;
    std::map<const Layer*, MoePass<M>> moe;
    std::vector<int32_t> tokens;  // of the sequence, and two more
    typename M::Loss head{}, mtp{};
  };
  struct Part {
    PartKind kind;
    std::vector<size_t> takes;
    std::function<void(Pass&, Tape&)> run;
  };

  void AddEmbedding();
  // Takes from the part before unless told otherwise.
  void AddPart(PartKind kind, std::function<void(Pass&, Tape&)> run);
  Layer* MakeLayer(const std::string& name, bool dense);
  void AddLayer(const std::string& name, bool dense);
  void AddMlp(Layer* layer);
  void AddMtp();
  void AddHead();
  void RunMtpJoin(Pass& pass, Tape& tape);
  void RunMtpHead(Pass& pass, Tape& tape);
  void RunHead(Pass& pass, Tape& tape);
  Parameter& Own(const std::string& name, int64_t rows, int64_t columns, double spread);
  Pass& At(int microbatch) {
    const std::lock_guard lock(mutex_);
    return *passes_.at(microbatch);
  }

  const ModelConfig& m_;
  const Text& text_;
  const ExpertShare share_;
  typename M::Carrier* const carrier_;
  const M machine_;
  std::vector<std::unique_ptr<Parameter>> own_;
  std::vector<std::unique_ptr<Layer>> layers_;
  std::vector<Part> parts_;
  ParametersOf<M> parameters_;
  Parameter* table_ = nullptr;  // the embedding, where this stage has it
  Parameter *final_norm_ = nullptr, *head_ = nullptr;
  struct Mtp {
    Parameter *h_norm = nullptr, *e_norm = nullptr, *join = nullptr, *out_norm = nullptr;
    Layer* layer = nullptr;
  } mtp_;
  std::mutex mutex_;  // of passes_: one begins while another travels on the other lane
  std::map<int, std::unique_ptr<Pass>> passes_;
  struct Told {
    typename M::Loss head{}, mtp{};
  };
  std::map<int, Told> losses_;
};

using Stage = BasicStage<OnCpu>;

}  // namespace pipescope::transformer
