// The operations of a model (transformer/operations.h) on tensors in a device's memory: each puts
// its kernels on the tape's queue and writes down those of its gradients.
//
// What the host must know is waited for in one place: Route brings the experts' choice to the host,
// which lays out the rows of each expert, as DeepEP's dispatch waits for its counts.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "kernels/train/permute.h"
#include "kernels/transformer/device/parameter.h"

namespace pipescope::transformer::device {

Tensor Embed(Tape& tape, Parameter& table, std::span<const int32_t> tokens);
Tensor WideLinear(Tape& tape, const Tensor& x, Parameter& w);
inline Tensor Linear(Tape& tape, const Tensor& x, Parameter& w) { return WideLinear(tape, x, w); }
Tensor Norm(Tape& tape, const Tensor& x, Parameter& w);
Tensor Add(Tape& tape, const Tensor& a, const Tensor& b);
Tensor SwiGlu(Tape& tape, const Tensor& x);
Tensor Rope(Tape& tape, const Tensor& x, const kernels::RopeShape& shape);
Tensor Attend(Tape& tape, const Tensor& q, const Tensor& k, const Tensor& v,
              const kernels::AttentionShape& shape);
Tensor Columns(Tape& tape, const Tensor& x, int64_t width, int64_t from, int64_t count);
Tensor Beside(Tape& tape, const Tensor& a, int64_t a_columns, const Tensor& b, int64_t b_columns,
              int64_t heads);
Tensor Copy(Tape& tape, const Tensor& x);

// [tokens][selected], on the device or, where it has been looked at, on the host.
struct Experts {
  Block chosen;
  std::vector<int32_t> host;
};
// On the host. Throws std::runtime_error where the device has failed.
std::vector<int32_t> OnHost(const Tape& tape, const Experts& experts, int64_t count);

struct Choice {
  Experts experts;
  Tensor weights;  // FP32, [tokens][selected]
};
Choice Choose(Tape& tape, const Tensor& logits, const kernels::RouterConfig& config);

// The rows of each expert, and where they are from.
struct Layout : kernels::Permutation {
  Block from;    // [rows] tokens
  Block row_of;  // [tokens][selected] rows, or -1
};
struct Routing {
  std::shared_ptr<const Layout> by;
  Tensor weights;
};
Routing Route(const Tape& tape, const Experts& chosen, const Tensor& weights, int64_t experts);
Tensor Permute(Tape& tape, const Tensor& x, const Routing& routing);
using ExpertWeights = std::span<const std::unique_ptr<Parameter>>;
Tensor Grouped(Tape& tape, const Tensor& rows, ExpertWeights w, const Routing& routing);
Tensor Unpermute(Tape& tape, const Tensor& rows, const Routing& routing);

// The losses of a micro-batch's tokens, where they will be.
struct LossData {
  Block losses;
  Kernels* kernels = nullptr;
  int64_t tokens = 0;
};
using Loss = std::shared_ptr<const LossData>;
Loss LossOf(Tape& tape, const Tensor& logits, std::span<const int32_t> targets, double weight);
// Waits for the queue. 0 where there is none.
double ValueOf(const Loss& loss);

// What travels between stages: values of another rank, there once `ready` has happened.
struct Travelling {
  Block block;
  EventPtr ready;
  int64_t rows = 0;
  bool lasts = false;  // it is never given back
};
Tensor TakeIn(const Tape& tape, Travelling value, int64_t columns);
Travelling ValueOut(const Tensor& x);
void GradientIn(const Tape& tape, const Tensor& x, Travelling gradient);
Travelling GradientOut(const Tensor& x);

}  // namespace pipescope::transformer::device
