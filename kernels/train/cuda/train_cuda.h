// The training operations on a GPU: what kernels/train computes, on arrays in its memory.
//
// Arrays are BF16 by rows, as in the truth's headers, weights' gradients, losses and master weights
// FP32. All pointers are to memory of the current GPU, at multiples of 16 bytes; widths are
// multiples of 8. `stream` is a cudaStream_t. Nothing is waited for: a call fails where its sizes
// are wrong or the launch is refused, and later failures show where the stream is next waited for.
// Results are deterministic. Without CUDA in the build every call fails and says so.
//
// No CUDA header is visible here.
#pragma once

#include <cstdint>

#include "kernels/train/device/adamw.h"
#include "kernels/train/device/block.h"
#include "kernels/train/device/mtp.h"
#include "kernels/train/device/rope.h"
#include "kernels/train/device/router.h"
#include "sim/base/result.h"

namespace pipescope::kernels::cuda {

using device::Bf16;
using Stream = void*;

struct Size {
  int64_t rows = 0, columns = 0;
};

Status RmsNorm(const Bf16* x, const float* weight, Bf16* y, Size size, float epsilon, Stream);
// `inverse`: [rows], for the weight gradient; may be null.
Status RmsNormInputGradient(const Bf16* x, const float* weight, const Bf16* dy, Bf16* dx,
                            float* inverse, Size size, float epsilon, Stream);
// `partial`: [RmsNormParts(rows)][columns], to work in.
int64_t RmsNormParts(int64_t rows);
// Rows of dy are `dy_stride` apart; 0: columns.
Status RmsNormWeightGradient(const Bf16* x, const Bf16* dy, const float* inverse, float* partial,
                             float* dw, Size size, Stream, int64_t dy_stride = 0);

// MTP's join (kernels/train/mtp.h): size is h's; y and dy are [rows][2 columns]. Weight gradients
// are RMSNorm's, with dy's halves at a stride of 2 columns.
Status MtpJoin(const device::MtpArrays<Bf16>& in, Bf16* y, Size size, float epsilon, Stream);
Status MtpJoinInputGradient(const device::MtpArrays<Bf16>& in, const Bf16* dy,
                            const device::MtpGradients<Bf16>& out, Size size, float epsilon,
                            Stream);

// x is [rows][2 columns].
Status SwiGlu(const Bf16* x, Bf16* y, Size size, Stream);
// `again`: y once more; may be null.
Status SwiGluInputGradient(const Bf16* x, const Bf16* dy, Bf16* dx, Bf16* again, Size size, Stream);

struct RopeSize {
  int64_t tokens = 0, heads = 1, channels = 2, rotary = 2;  // rotary: a multiple of 8
};
// `table`: [tokens][rotary / 2]. y may be x. `turn` is 1, or -1 for the input gradient.
Status Rope(const Bf16* x, Bf16* y, const device::Turn* table, float turn, RopeSize size, Stream);

// Logits [tokens][experts] in FP32, as the router's GEMM leaves them; `bias` may be null.
Status Route(const float* logits, const float* bias, const device::RouterShape& shape,
             int32_t* experts, float* weights, int64_t tokens, Stream);
Status RouteInputGradient(const float* logits, const int32_t* experts, const float* d_weights,
                          const device::RouterShape& shape, float* d_logits, int64_t tokens,
                          Stream);

// `logits` become their gradient where `gradient`; d_losses may be null where not.
Status CrossEntropy(Bf16* logits, const int32_t* targets, const float* d_losses, bool gradient,
                    float* losses, Size size, Stream);

// y[r] = x[from[r]], zeros where from[r] is -1: embedding, permute.
Status Gather(const Bf16* x, const int64_t* from, Bf16* y, Size size, Stream);
Status Add(const Bf16* a, const Bf16* b, Bf16* y, Size size, Stream);
// y[r] = sum over k < count of weights[r][k] rows[which[r][k]]; weights null: of the rows.
Status SumOfRows(const Bf16* rows, const int64_t* which, const float* weights, int count, Bf16* y,
                 Size size, Stream);
// By slot: drow and dweight of the slot's row; slots without one are left.
Status UnpermuteGradient(const Bf16* rows, const Bf16* dy, const float* weights,
                         const int64_t* rows_of, int selected, Bf16* d_rows, float* d_weights,
                         int64_t slots, int64_t columns, Stream);
// `positions` sorted by token; those of row v are [begins[v], begins[v + 1]). size.rows:
// vocabulary.
Status EmbeddingGradient(const Bf16* dy, const int32_t* positions, const int64_t* begins,
                         float* d_table, Size size, Stream);

// `copy` in BF16 may be null. `weights` count is a multiple of four.
Status AdamW(const device::AdamWScalars& scalars, const float* gradient, float* weights, Bf16* m,
             Bf16* v, Bf16* copy, int64_t count, Stream);

}  // namespace pipescope::kernels::cuda
