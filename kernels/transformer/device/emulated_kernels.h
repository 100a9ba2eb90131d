// The operations of a device as functions on a CPU thread, of emulation.h.
#pragma once

#include "kernels/transformer/device/emulated_queue.h"
#include "kernels/transformer/device/kernels.h"

namespace pipescope::transformer::device {

class EmulatedKernels : public Kernels {
 public:
  explicit EmulatedKernels(uint32_t jitter) : thread_(jitter) {}

  EventPtr Record() override { return thread_.Record(); }
  void Wait(const EventPtr& event) override { thread_.Wait(event); }
  Status Finish() override { return thread_.Finish(); }
  void Upload(void* to, const void* from, int64_t bytes) override;
  void Download(void* to, const void* from, int64_t bytes) override { CopyBytes(to, from, bytes); }
  void CopyBytes(void* to, const void* from, int64_t bytes) override;
  void Zero(void* to, int64_t bytes) override;
  void Forget(void* at, int64_t bytes) override;

  void Linear(const Bf16* x, const Bf16* w, Bf16* y, LinearSize size) override;
  void LinearInputGradient(const Bf16* dy, const Bf16* w, Bf16* dx, LinearSize size) override;
  void LinearWeightGradient(const Bf16* x, const Bf16* dy, float* dw, LinearSize size) override;
  void RmsNorm(const Bf16* x, const float* weight, Bf16* y, Extent size) override;
  void RmsNormInputGradient(const Bf16* x, const float* weight, const Bf16* dy, Bf16* dx,
                            float* inverse, Extent size) override;
  void RmsNormWeightGradient(const Bf16* x, const Bf16* dy, const float* inverse, float* partial,
                             float* dw, Extent size) override;
  int64_t PartialCount(Extent) const override { return 1; }
  void SwiGlu(const Bf16* x, Bf16* y, Extent size) override;
  void SwiGluInputGradient(const Bf16* x, const Bf16* dy, Bf16* dx, Extent size) override;
  void Rope(const Bf16* x, Bf16* y, const kernels::device::Turn* table, float turn, int64_t tokens,
            const kernels::RopeShape& shape) override;
  void Attention(const AttentionArrays& a, int64_t tokens,
                 const kernels::AttentionShape& shape) override;
  void AttentionInputGradient(const AttentionArrays& a, const AttentionGradientArrays& g,
                              int64_t tokens, const kernels::AttentionShape& shape) override;
  void Route(const float* logits, const kernels::RouterConfig& config, int32_t* experts,
             float* weights, int64_t tokens) override;
  void RouteInputGradient(const float* logits, const int32_t* experts, const float* d_weights,
                          const kernels::RouterConfig& config, float* d_logits,
                          int64_t tokens) override;
  void CrossEntropy(Bf16* logits, const int32_t* targets, const float* d_losses, bool gradient,
                    float* losses, Extent size) override;
  void Gather(const Bf16* x, const int64_t* from, Bf16* y, Extent size) override;
  void SumOfRows(const Bf16* rows, const int64_t* which, const float* weights, int count, Bf16* y,
                 Extent size) override;
  void UnpermuteGradient(const Bf16* rows, const Bf16* dy, const float* weights,
                         const int64_t* rows_of, int selected, Bf16* d_rows, float* d_weights,
                         Extent slots) override;
  void EmbeddingGradient(const Bf16* dy, const int32_t* positions, const int64_t* begins,
                         float* d_table, Extent table) override;
  void Add(const Bf16* a, const Bf16* b, Bf16* y, Extent size) override;
  void MoveColumns(const Bf16* x, Bf16* y, const ColumnMove& move) override;
  void Widen(const Bf16* x, float* y, int64_t count) override;
  void Narrow(const float* x, Bf16* y, int64_t count) override;
  void RoundFloats(float* x, int64_t count) override;
  void GatherFloats(const float* x, const int64_t* from, float* y, int64_t count) override;
  void ScatterFloats(const float* x, const int64_t* to, float* y, int64_t count) override;
  void AddToSum(const float* gradient, double* sum, int64_t count) override;
  void AddSums(const double* const* sums, int copies, float* gradient, int32_t* inexact,
               int64_t count) override;
  void AdamW(const kernels::AdamW& adamw, int64_t step, const float* gradient, float* weights,
             Bf16* first, Bf16* second, Bf16* used, int64_t count) override;

 private:
  WorkThread thread_;
};

}  // namespace pipescope::transformer::device
