// What a model asks of a device: the operations of a training step on arrays in its memory.
//
// The seam between the model (operations.h) and who computes: kernels on a CUDA stream
// (cuda_kernels.h), or a CPU with the same arithmetic as kernels/transformer (emulation.h). Arrays
// are BF16 by rows unless said; the equations are those of the headers of kernels/train of the same
// names. A queue, so nothing is waited for.
//
// A CUDA device wants arrays at multiples of 16 bytes and widths that are multiples of 8.
#pragma once

#include "kernels/train/adamw.h"
#include "kernels/train/attention.h"
#include "kernels/train/device/block.h"
#include "kernels/train/device/rope.h"
#include "kernels/train/rope.h"
#include "kernels/train/router.h"
#include "kernels/transformer/device/queue.h"

namespace pipescope::transformer::device {

using kernels::device::Bf16;

struct Extent {
  int64_t rows = 0, columns = 0;
  int64_t count() const { return rows * columns; }
};

// y [rows][out] = x [rows][in] w [out][in]'.
struct LinearSize {
  int64_t rows = 0, in = 0, out = 0;
};

// A block of columns that moves: of each of `rows` rows `columns` values. Row r of y gets row
// r / repeat of x, so that a row goes to each of `repeat` heads.
struct ColumnMove {
  Extent size;
  int64_t from_stride = 0, to_stride = 0;  // values from row to row
  int64_t repeat = 1;
};

struct AttentionArrays {
  const Bf16 *q, *k, *v;
  Bf16* out;
  float* log_sums;  // [tokens][heads]
};
struct AttentionGradientArrays {
  const Bf16* d_out;
  float* along;  // [tokens][heads], to work in
  Bf16 *dq, *dk, *dv;
};

class Kernels : public Queue {
 public:
  // `from` is copied before it comes back.
  virtual void Upload(void* to, const void* from, int64_t bytes) = 0;
  // `to` holds it once Finish came back.
  virtual void Download(void* to, const void* from, int64_t bytes) = 0;
  virtual void CopyBytes(void* to, const void* from, int64_t bytes) = 0;
  virtual void Zero(void* to, int64_t bytes) = 0;

  virtual void Linear(const Bf16* x, const Bf16* w, Bf16* y, LinearSize size) = 0;
  virtual void LinearInputGradient(const Bf16* dy, const Bf16* w, Bf16* dx, LinearSize size) = 0;
  virtual void LinearWeightGradient(const Bf16* x, const Bf16* dy, float* dw, LinearSize size) = 0;

  virtual void RmsNorm(const Bf16* x, const float* weight, Bf16* y, Extent size) = 0;
  // `inverse`: [rows], which the weight gradient wants.
  virtual void RmsNormInputGradient(const Bf16* x, const float* weight, const Bf16* dy, Bf16* dx,
                                    float* inverse, Extent size) = 0;
  // `partial`: PartialCount(size) floats, to work in.
  virtual void RmsNormWeightGradient(const Bf16* x, const Bf16* dy, const float* inverse,
                                     float* partial, float* dw, Extent size) = 0;
  virtual int64_t PartialCount(Extent size) const = 0;

  // x is [rows][2 columns].
  virtual void SwiGlu(const Bf16* x, Bf16* y, Extent size) = 0;
  virtual void SwiGluInputGradient(const Bf16* x, const Bf16* dy, Bf16* dx, Extent size) = 0;

  // `table`: [tokens][rotary / 2]; `turn` is 1, or -1 for the input gradient.
  virtual void Rope(const Bf16* x, Bf16* y, const kernels::device::Turn* table, float turn,
                    int64_t tokens, const kernels::RopeShape& shape) = 0;

  virtual void Attention(const AttentionArrays& a, int64_t tokens,
                         const kernels::AttentionShape& shape) = 0;
  virtual void AttentionInputGradient(const AttentionArrays& a, const AttentionGradientArrays& g,
                                      int64_t tokens, const kernels::AttentionShape& shape) = 0;

  // Logits [tokens][experts] and weights [tokens][selected] in FP32.
  virtual void Route(const float* logits, const kernels::RouterConfig& config, int32_t* experts,
                     float* weights, int64_t tokens) = 0;
  virtual void RouteInputGradient(const float* logits, const int32_t* experts,
                                  const float* d_weights, const kernels::RouterConfig& config,
                                  float* d_logits, int64_t tokens) = 0;

  // With `gradient` the logits become their gradient.
  virtual void CrossEntropy(Bf16* logits, const int32_t* targets, const float* d_losses,
                            bool gradient, float* losses, Extent size) = 0;

  // y[r] = x[from[r]].
  virtual void Gather(const Bf16* x, const int64_t* from, Bf16* y, Extent size) = 0;
  // y[r] = sum over k < count of weights[r][k] rows[which[r][k]] in order; `weights` null: of the
  // rows; -1: none.
  virtual void SumOfRows(const Bf16* rows, const int64_t* which, const float* weights, int count,
                         Bf16* y, Extent size) = 0;
  // d_rows[row] = weights[slot] dy[slot / selected] of each slot's row, d_weights[slot] the product
  // of the two rows; a slot without a row is left alone.
  virtual void UnpermuteGradient(const Bf16* rows, const Bf16* dy, const float* weights,
                                 const int64_t* rows_of, int selected, Bf16* d_rows,
                                 float* d_weights, Extent slots) = 0;
  // Positions sorted by token; those of row v are [begins[v], begins[v + 1]).
  virtual void EmbeddingGradient(const Bf16* dy, const int32_t* positions, const int64_t* begins,
                                 float* d_table, Extent table) = 0;

  virtual void Add(const Bf16* a, const Bf16* b, Bf16* y, Extent size) = 0;
  virtual void MoveColumns(const Bf16* x, Bf16* y, const ColumnMove& move) = 0;
  virtual void Widen(const Bf16* x, float* y, int64_t count) = 0;
  virtual void Narrow(const float* x, Bf16* y, int64_t count) = 0;
  virtual void RoundFloats(float* x, int64_t count) = 0;  // to BF16's values
  // y[i] = x[from[i]], 0 where from[i] is -1; and y[to[i]] = x[i] where it is not.
  virtual void GatherFloats(const float* x, const int64_t* from, float* y, int64_t count) = 0;
  virtual void ScatterFloats(const float* x, const int64_t* to, float* y, int64_t count) = 0;

  // kernels/transformer/parameter.h: sum += gradient rounded to its grid; and gradient = the sum of
  // `count` sums, with `inexact` set to 1 where it may depend on their order.
  virtual void AddToSum(const float* gradient, double* sum, int64_t count) = 0;
  virtual void AddSums(const double* const* sums, int copies, float* gradient, int32_t* inexact,
                       int64_t count) = 0;
  // `used` gets the weights in BF16.
  virtual void AdamW(const kernels::AdamW& adamw, int64_t step, const float* gradient,
                     float* weights, Bf16* first, Bf16* second, Bf16* used, int64_t count) = 0;
};

}  // namespace pipescope::transformer::device
