// What a forward pass writes down so that its backward pass can run in parts.
//
//   forward    each operation computes its result and adds a function for its input gradient
//   I          runs these functions backwards; each leaves its weight gradient for later
//   W          runs what was left, in the order in which I left it
//
// A deferred W keeps the operation's input and its output's gradient, as a linear layer must.
// Tensors live as long as a function that uses them. A tape is that of one part (an attention, an
// mlp) of one micro-batch; parts may run side by side.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace pipescope::transformer {

struct TensorData {
  int64_t columns = 1;
  std::vector<float> value;     // [rows][columns]
  std::vector<float> gradient;  // empty until one arrives
};
using Tensor = std::shared_ptr<TensorData>;

// Each value to the nearest BF16.
void RoundToBf16(std::span<float> values);

// The functions of a tape, whatever its tensors are.
class TapeFunctions {
 public:
  void Record(std::function<void()> input_gradient);
  void Defer(std::function<void()> weight_gradient);

  void InputGradient();
  void WeightGradient();

 private:
  std::vector<std::function<void()>> back_, deferred_;
};

// A function that is recorded holds on to its tape by reference.
class Tape : public TapeFunctions {
 public:
  explicit Tape(bool bf16, bool fp8 = false) : bf16_(bf16), fp8_(fp8) {}

  // Whether linear layers multiply in FP8.
  bool fp8() const { return fp8_; }

  // Values and gradients are rounded where the model is in BF16, each before it is added to
  // another: as operations do that read and write BF16.
  Tensor Make(std::vector<float> value, int64_t columns) const;
  void AddGradient(const Tensor& to, std::vector<float> gradient) const;

 private:
  bool bf16_, fp8_;
};

}  // namespace pipescope::transformer
