#include <cmath>

#include "kernels/train/cuda/arrays_cuda.h"
#include "kernels/train/cuda/attention_cuda.h"
#include "kernels/train/cuda/train_cuda.h"
#include "kernels/train/rms_norm.h"
#include "kernels/transformer/device/gpu/cuda_kernels.cuh"

namespace pipescope::transformer::device {
namespace {

namespace cuda = kernels::cuda;
using kernels::exchange::Cuda;

constexpr float kEpsilon = static_cast<float>(kernels::kRmsNormEpsilon);

cuda::Size SizeOf(Extent e) { return {e.rows, e.columns}; }

kernels::device::RouterShape ShapeOf(const kernels::RouterConfig& c) {
  kernels::device::RouterShape shape;
  shape.experts = static_cast<int>(c.experts);
  shape.selected = static_cast<int>(c.selected);
  shape.groups = static_cast<int>(c.groups);
  shape.groups_selected = static_cast<int>(c.groups_selected);
  shape.group_best = static_cast<int>(c.group_best);
  shape.sigmoid = c.scoring == kernels::Scoring::kSigmoid;
  shape.normalised = c.normalised;
  shape.scale = static_cast<float>(c.scale);
  return shape;
}

kernels::device::AttentionInput InputOf(const AttentionArrays& a, int64_t tokens,
                                        const kernels::AttentionShape& s) {
  kernels::device::AttentionSizes sizes;
  sizes.queries = sizes.keys = tokens;
  sizes.heads = s.heads;
  sizes.kv_heads = s.kv_heads;
  sizes.window = s.window;
  sizes.causal = s.causal;
  sizes.scale = static_cast<float>(s.scale);
  return {sizes, a.q, a.k, a.v};
}

cuda::AttentionWidth WidthOf(const kernels::AttentionShape& s) {
  return {static_cast<int>(s.qk_channels), static_cast<int>(s.v_channels)};
}

}  // namespace

CudaKernels::Made CudaKernels::Make(cudaStream_t stream, int sms, std::shared_ptr<GpuClock> clock) {
  auto linear = cuda::LinearQueue::Make(clock->gpu(), sms);
  if (!linear) return Fail(linear.error());
  auto made = std::unique_ptr<CudaKernels>(new CudaKernels(stream, std::move(clock)));
  made->linear_ = std::move(*linear);
  return made;
}

// Memory of the host that is not pinned: CUDA has copied it when the call comes back.
void CudaKernels::Upload(void* to, const void* from, int64_t bytes) { CopyBytes(to, from, bytes); }

void CudaKernels::CopyBytes(void* to, const void* from, int64_t bytes) {
  Use();
  const auto count = static_cast<size_t>(bytes);
  Keep(Cuda(cudaMemcpyAsync(to, from, count, cudaMemcpyDefault, stream_), "a copy"));
}

void CudaKernels::Zero(void* to, int64_t bytes) {
  Use();
  Keep(Cuda(cudaMemsetAsync(to, 0, static_cast<size_t>(bytes), stream_), "zeros"));
}

void CudaKernels::Linear(const Bf16* x, const Bf16* w, Bf16* y, LinearSize s) {
  Use();
  Keep(linear_->Run({cuda::LinearPass::kForward, s.rows, s.in, s.out}, x, w, y, stream_));
}

void CudaKernels::LinearInputGradient(const Bf16* dy, const Bf16* w, Bf16* dx, LinearSize s) {
  Use();
  Keep(linear_->Run({cuda::LinearPass::kInputGrad, s.rows, s.in, s.out}, dy, w, dx, stream_));
}

void CudaKernels::LinearWeightGradient(const Bf16* x, const Bf16* dy, float* dw, LinearSize s) {
  Use();
  Keep(linear_->Run({cuda::LinearPass::kWeightGrad, s.rows, s.in, s.out}, dy, x, dw, stream_));
}

void CudaKernels::RmsNorm(const Bf16* x, const float* weight, Bf16* y, Extent s) {
  Use();
  Keep(cuda::RmsNorm(x, weight, y, SizeOf(s), kEpsilon, stream_));
}

void CudaKernels::RmsNormInputGradient(const Bf16* x, const float* weight, const Bf16* dy, Bf16* dx,
                                       float* inverse, Extent s) {
  Use();
  Keep(cuda::RmsNormInputGradient(x, weight, dy, dx, inverse, SizeOf(s), kEpsilon, stream_));
}

void CudaKernels::RmsNormWeightGradient(const Bf16* x, const Bf16* dy, const float* inverse,
                                        float* partial, float* dw, Extent s) {
  Use();
  Keep(cuda::RmsNormWeightGradient(x, dy, inverse, partial, dw, SizeOf(s), stream_));
}

int64_t CudaKernels::PartialCount(Extent s) const { return cuda::RmsNormParts(s.rows) * s.columns; }

void CudaKernels::SwiGlu(const Bf16* x, Bf16* y, Extent s) {
  Use();
  Keep(cuda::SwiGlu(x, y, SizeOf(s), stream_));
}

void CudaKernels::SwiGluInputGradient(const Bf16* x, const Bf16* dy, Bf16* dx, Extent s) {
  Use();
  Keep(cuda::SwiGluInputGradient(x, dy, dx, nullptr, SizeOf(s), stream_));
}

void CudaKernels::Rope(const Bf16* x, Bf16* y, const kernels::device::Turn* table, float turn,
                       int64_t tokens, const kernels::RopeShape& shape) {
  Use();
  const cuda::RopeSize size{tokens, shape.heads, shape.channels, shape.rotary};
  Keep(cuda::Rope(x, y, table, turn, size, stream_));
}

void CudaKernels::Attention(const AttentionArrays& a, int64_t tokens,
                            const kernels::AttentionShape& shape) {
  Use();
  Keep(cuda::Attention(InputOf(a, tokens, shape), WidthOf(shape), a.out, a.log_sums, stream_));
}

void CudaKernels::AttentionInputGradient(const AttentionArrays& a, const AttentionGradientArrays& g,
                                         int64_t tokens, const kernels::AttentionShape& shape) {
  Use();
  const kernels::device::AttentionGradient gradient{
      InputOf(a, tokens, shape), a.out, g.d_out, a.log_sums, g.along, g.dq, g.dk, g.dv};
  Keep(cuda::AttentionInputGradient(gradient, WidthOf(shape), stream_));
}

void CudaKernels::Route(const float* logits, const kernels::RouterConfig& config, int32_t* experts,
                        float* weights, int64_t tokens) {
  Use();
  Keep(cuda::Route(logits, nullptr, ShapeOf(config), experts, weights, tokens, stream_));
}

void CudaKernels::RouteInputGradient(const float* logits, const int32_t* experts,
                                     const float* d_weights, const kernels::RouterConfig& config,
                                     float* d_logits, int64_t tokens) {
  Use();
  Keep(cuda::RouteInputGradient(logits, experts, d_weights, ShapeOf(config), d_logits, tokens,
                                stream_));
}

void CudaKernels::CrossEntropy(Bf16* logits, const int32_t* targets, const float* d_losses,
                               bool gradient, float* losses, Extent s) {
  Use();
  Keep(cuda::CrossEntropy(logits, targets, d_losses, gradient, losses, SizeOf(s), stream_));
}

void CudaKernels::Gather(const Bf16* x, const int64_t* from, Bf16* y, Extent s) {
  Use();
  Keep(cuda::Gather(x, from, y, SizeOf(s), stream_));
}

void CudaKernels::SumOfRows(const Bf16* rows, const int64_t* which, const float* weights, int count,
                            Bf16* y, Extent s) {
  Use();
  Keep(cuda::SumOfRows(rows, which, weights, count, y, SizeOf(s), stream_));
}

void CudaKernels::UnpermuteGradient(const Bf16* rows, const Bf16* dy, const float* weights,
                                    const int64_t* rows_of, int selected, Bf16* d_rows,
                                    float* d_weights, Extent slots) {
  Use();
  Keep(cuda::UnpermuteGradient(rows, dy, weights, rows_of, selected, d_rows, d_weights, slots.rows,
                               slots.columns, stream_));
}

void CudaKernels::EmbeddingGradient(const Bf16* dy, const int32_t* positions, const int64_t* begins,
                                    float* d_table, Extent table) {
  Use();
  Keep(cuda::EmbeddingGradient(dy, positions, begins, d_table, SizeOf(table), stream_));
}

void CudaKernels::Add(const Bf16* a, const Bf16* b, Bf16* y, Extent s) {
  Use();
  Keep(cuda::Add(a, b, y, SizeOf(s), stream_));
}

void CudaKernels::MoveColumns(const Bf16* x, Bf16* y, const ColumnMove& m) {
  Use();
  Keep(cuda::MoveColumns(x, y, SizeOf(m.size), {m.from_stride, m.to_stride, m.repeat}, stream_));
}

void CudaKernels::Widen(const Bf16* x, float* y, int64_t count) {
  Use();
  Keep(cuda::Widen(x, y, count, stream_));
}

void CudaKernels::Narrow(const float* x, Bf16* y, int64_t count) {
  Use();
  Keep(cuda::Narrow(x, y, count, stream_));
}

void CudaKernels::RoundFloats(float* x, int64_t count) {
  Use();
  Keep(cuda::RoundFloats(x, count, stream_));
}

void CudaKernels::GatherFloats(const float* x, const int64_t* from, float* y, int64_t count) {
  Use();
  Keep(cuda::GatherFloats(x, from, y, count, stream_));
}

void CudaKernels::ScatterFloats(const float* x, const int64_t* to, float* y, int64_t count) {
  Use();
  Keep(cuda::ScatterFloats(x, to, y, count, stream_));
}

void CudaKernels::AddToSum(const float* gradient, double* sum, int64_t count) {
  Use();
  Keep(cuda::AddToSum(gradient, sum, count, stream_));
}

void CudaKernels::AddSums(const double* const* sums, int copies, float* gradient, int32_t* inexact,
                          int64_t count) {
  Use();
  Keep(cuda::AddSums(sums, copies, gradient, inexact, count, stream_));
}

void CudaKernels::AdamW(const kernels::AdamW& a, int64_t step, const float* gradient,
                        float* weights, Bf16* first, Bf16* second, Bf16* used, int64_t count) {
  Use();
  const auto correct = [&](double beta) {
    return static_cast<float>(1 - std::pow(beta, static_cast<double>(step)));
  };
  const kernels::device::AdamWScalars scalars{static_cast<float>(a.rate),
                                              static_cast<float>(a.beta1),
                                              static_cast<float>(a.beta2),
                                              static_cast<float>(a.epsilon),
                                              static_cast<float>(a.decay),
                                              correct(a.beta1),
                                              correct(a.beta2)};
  Keep(cuda::AdamW(scalars, gradient, weights, first, second, used, count, stream_));
}

}  // namespace pipescope::transformer::device
