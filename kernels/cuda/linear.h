// A linear layer in BF16 on the GPU, by cuBLASLt: what V3 keeps out of FP8, the head and the
// router's logits.
//
//   forward        y [tokens][out] = x w'      BF16
//   input grad     dx [tokens][in] = dy w      BF16
//   weight grad    dw [out][in] = dy' x        FP32
//
// x is [tokens][in], w [out][in], dy [tokens][out], all BF16; sums are FP32. There is no kernel of
// ours: the library's is what DeepSeek-V3 and everyone else runs here, and FP8 is where the project
// looks closer.
//
// Example: V3's head at 4096 tokens, in 7168, out 129280: 7.6 TFLOP.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/cuda/work.h"

namespace pipescope::kernels::cuda {

enum class LinearPass { kForward, kInputGrad, kWeightGrad };

struct LinearCase {
  LinearPass pass = LinearPass::kForward;
  int64_t tokens = 0, in = 0, out = 0;

  Flops flops() const;
  Bytes bytes() const;
  // Values of its two operands and its result, in the order of the equations.
  int64_t first() const { return tokens * (pass == LinearPass::kForward ? in : out); }
  int64_t second() const { return pass == LinearPass::kWeightGrad ? tokens * in : out * in; }
  int64_t result() const;
};
Status CheckCase(const LinearCase& c);

// Operands as codes of BF16; the result poisoned before.
Result<std::vector<float>> LinearOnGpu(const LinearCase& c, std::span<const uint16_t> first,
                                       std::span<const uint16_t> second);
PreparedWork PrepareLinear(const LinearCase& c);

// Linear layers on one stream after another's work, on arrays that are the caller's: each shape is
// prepared once. `sms`: that the stream has.
class LinearQueue {
 public:
  static Result<std::unique_ptr<LinearQueue>> Make(int gpu, int sms);
  virtual ~LinearQueue() = default;
  // Operands and result in the order of the equations. Always the same stream (a cudaStream_t):
  // GEMMs share a workspace.
  virtual Status Run(const LinearCase& c, const void* first, const void* second, void* result,
                     void* stream) = 0;
};

}  // namespace pipescope::kernels::cuda
