// Attention on a GPU: kernels/train/attention.h's operation on arrays of BF16 in its memory.
//
// As train_cuda.h: pointers at multiples of 16 bytes, nothing is waited for, results are
// deterministic, and without CUDA in the build every call fails. One sequence a call. Which widths
// of heads there are kernels for: IsAttentionWidth; DeepSeek-V3's MLA trains with 192 and 128.
//
// Tensor cores by mma.sync; wgmma would be faster, and is not used because these fragments' layouts
// can be checked without a GPU (tests/kernels/train_device_attention_test.cc), its descriptors for
// turned operands cannot.
//
// No CUDA header is visible here.
#pragma once

#include "kernels/train/cuda/train_cuda.h"
#include "kernels/train/device/attention_gradient.h"

namespace pipescope::kernels::cuda {

struct AttentionWidth {
  int qk = 192, v = 128;
};

inline bool IsAttentionWidth(AttentionWidth w) {
  return (w.qk == 192 || w.qk == 128) && w.v == 128;
}

// out: [queries][heads][v], log_sums: [queries][heads] in nats.
Status Attention(const device::AttentionInput& in, AttentionWidth width, Bf16* out, float* log_sums,
                 Stream);
// dq, dk and dv; `along` is [queries][heads] to work in.
Status AttentionInputGradient(const device::AttentionGradient& gradient, AttentionWidth width,
                              Stream);

}  // namespace pipescope::kernels::cuda
