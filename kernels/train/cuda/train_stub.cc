#include "kernels/train/cuda/arrays_cuda.h"
#include "kernels/train/cuda/attention_cuda.h"
#include "kernels/train/cuda/train_cuda.h"

namespace pipescope::kernels::cuda {
namespace {

Status None() { return Fail("built without CUDA"); }

}  // namespace

Status RmsNorm(const Bf16*, const float*, Bf16*, Size, float, Stream) { return None(); }
Status RmsNormInputGradient(const Bf16*, const float*, const Bf16*, Bf16*, float*, Size, float,
                            Stream) {
  return None();
}
int64_t RmsNormParts(int64_t) { return 0; }
Status RmsNormWeightGradient(const Bf16*, const Bf16*, const float*, float*, float*, Size, Stream,
                             int64_t) {
  return None();
}
Status MtpJoin(const device::MtpArrays<Bf16>&, Bf16*, Size, float, Stream) { return None(); }
Status MtpJoinInputGradient(const device::MtpArrays<Bf16>&, const Bf16*,
                            const device::MtpGradients<Bf16>&, Size, float, Stream) {
  return None();
}
Status Attention(const device::AttentionInput&, AttentionWidth, Bf16*, float*, Stream) {
  return None();
}
Status AttentionInputGradient(const device::AttentionGradient&, AttentionWidth, Stream) {
  return None();
}
Status SwiGlu(const Bf16*, Bf16*, Size, Stream) { return None(); }
Status SwiGluInputGradient(const Bf16*, const Bf16*, Bf16*, Bf16*, Size, Stream) { return None(); }
Status Rope(const Bf16*, Bf16*, const device::Turn*, float, RopeSize, Stream) { return None(); }
Status Route(const float*, const float*, const device::RouterShape&, int32_t*, float*, int64_t,
             Stream) {
  return None();
}
Status RouteInputGradient(const float*, const int32_t*, const float*, const device::RouterShape&,
                          float*, int64_t, Stream) {
  return None();
}
Status CrossEntropy(Bf16*, const int32_t*, const float*, bool, float*, Size, Stream) {
  return None();
}
Status Gather(const Bf16*, const int64_t*, Bf16*, Size, Stream) { return None(); }
Status Add(const Bf16*, const Bf16*, Bf16*, Size, Stream) { return None(); }
Status SumOfRows(const Bf16*, const int64_t*, const float*, int, Bf16*, Size, Stream) {
  return None();
}
Status UnpermuteGradient(const Bf16*, const Bf16*, const float*, const int64_t*, int, Bf16*, float*,
                         int64_t, int64_t, Stream) {
  return None();
}
Status EmbeddingGradient(const Bf16*, const int32_t*, const int64_t*, float*, Size, Stream) {
  return None();
}
Status AdamW(const device::AdamWScalars&, const float*, float*, Bf16*, Bf16*, Bf16*, int64_t,
             Stream) {
  return None();
}

Status MoveColumns(const Bf16*, Bf16*, Size, ColumnStrides, Stream) { return None(); }
Status Widen(const Bf16*, float*, int64_t, Stream) { return None(); }
Status Narrow(const float*, Bf16*, int64_t, Stream) { return None(); }
Status RoundFloats(float*, int64_t, Stream) { return None(); }
Status GatherFloats(const float*, const int64_t*, float*, int64_t, Stream) { return None(); }
Status ScatterFloats(const float*, const int64_t*, float*, int64_t, Stream) { return None(); }
Status AddToSum(const float*, double*, int64_t, Stream) { return None(); }
Status AddSums(const double* const*, int, float*, int32_t*, int64_t, Stream) { return None(); }

}  // namespace pipescope::kernels::cuda
