// Layers, of emulated_kernels.h: each calls what a model on a CPU calls.
#include "kernels/transformer/device/emulated_kernels.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "kernels/fast/attention.h"
#include "kernels/fast/gemm.h"
#include "kernels/fast/layers.h"
#include "kernels/transformer/device/bf16_arrays.h"

namespace pipescope::transformer::device {

namespace fast = kernels::fast;

void EmulatedKernels::Linear(const Bf16* x, const Bf16* w, Bf16* y, LinearSize s) {
  thread_.Put([=] { Put(y, fast::Linear(Wide(x, s.rows * s.in), Wide(w, s.out * s.in), s.in)); });
}

void EmulatedKernels::LinearInputGradient(const Bf16* dy, const Bf16* w, Bf16* dx, LinearSize s) {
  thread_.Put([=] {
    Put(dx, fast::LinearInputGradient(Wide(dy, s.rows * s.out), Wide(w, s.out * s.in), s.in));
  });
}

void EmulatedKernels::LinearWeightGradient(const Bf16* x, const Bf16* dy, float* dw, LinearSize s) {
  thread_.Put([=] {
    std::ranges::copy(
        fast::LinearWeightGradient(Wide(x, s.rows * s.in), Wide(dy, s.rows * s.out), s.in, s.out),
        dw);
  });
}

void EmulatedKernels::RmsNorm(const Bf16* x, const float* weight, Bf16* y, Extent s) {
  thread_.Put([=] { Put(y, fast::RmsNorm(Wide(x, s.count()), Of(weight, s.columns))); });
}

namespace {

// What stands for a row's scale between the two gradients.
float InverseOf(const Bf16* row, int64_t columns) {
  double squares = 0;
  for (const float value : Wide(row, columns)) squares += double{value} * value;
  return static_cast<float>(squares);
}

}  // namespace

void EmulatedKernels::RmsNormInputGradient(const Bf16* x, const float* weight, const Bf16* dy,
                                           Bf16* dx, float* inverse, Extent s) {
  thread_.Put([=] {
    for (int64_t r = 0; r < s.rows; ++r) inverse[r] = InverseOf(x + r * s.columns, s.columns);
    Put(dx,
        fast::RmsNormInputGradient(Wide(x, s.count()), Of(weight, s.columns), Wide(dy, s.count())));
  });
}

void EmulatedKernels::RmsNormWeightGradient(const Bf16* x, const Bf16* dy, const float* inverse,
                                            float* partial, float* dw, Extent s) {
  thread_.Put([=, this] {
    for (int64_t r = 0; r < s.rows; ++r) {
      if (inverse[r] == InverseOf(x + r * s.columns, s.columns)) continue;
      return thread_.Fail("RMSNorm's weight gradient: not the scales of its input");
    }
    *partial = 0;
    std::ranges::copy(
        fast::RmsNormWeightGradient(Wide(x, s.count()), Wide(dy, s.count()), s.columns), dw);
  });
}

void EmulatedKernels::SwiGlu(const Bf16* x, Bf16* y, Extent s) {
  thread_.Put([=] { Put(y, fast::SwiGlu(Wide(x, 2 * s.count()), s.columns)); });
}

void EmulatedKernels::SwiGluInputGradient(const Bf16* x, const Bf16* dy, Bf16* dx, Extent s) {
  thread_.Put([=] {
    Put(dx, fast::SwiGluInputGradient(Wide(x, 2 * s.count()), Wide(dy, s.count()), s.columns));
  });
}

void EmulatedKernels::Rope(const Bf16* x, Bf16* y, const kernels::device::Turn* table, float turn,
                           int64_t tokens, const kernels::RopeShape& shape) {
  thread_.Put([=] {
    auto values = Wide(x, tokens * shape.heads * shape.channels);
    const int64_t pairs = shape.rotary / 2;
    for (int64_t row = 0; row < tokens * shape.heads; ++row) {
      float* at = values.data() + (row + 1) * shape.channels - shape.rotary;
      const auto* by = table + row / shape.heads * pairs;
      for (int64_t i = 0; i < pairs; ++i, at += 2) {
        const float real = at[0], imaginary = at[1], sine = turn * by[i].sine;
        at[0] = real * by[i].cosine - imaginary * sine;
        at[1] = real * sine + imaginary * by[i].cosine;
      }
    }
    Put(y, values);
  });
}

void EmulatedKernels::Attention(const AttentionArrays& a, int64_t tokens,
                                const kernels::AttentionShape& shape) {
  thread_.Put([=] {
    const int64_t qk = tokens * shape.heads * shape.qk_channels;
    const int64_t values = tokens * shape.heads * shape.v_channels;
    const auto result = fast::Attention(Wide(a.q, qk), Wide(a.k, qk), Wide(a.v, values), shape);
    Put(a.out, result.out);
    std::ranges::copy(result.log_sums, a.log_sums);
  });
}

void EmulatedKernels::AttentionInputGradient(const AttentionArrays& a,
                                             const AttentionGradientArrays& g, int64_t tokens,
                                             const kernels::AttentionShape& shape) {
  thread_.Put([=, this] {
    const int64_t qk = tokens * shape.heads * shape.qk_channels;
    const int64_t values = tokens * shape.heads * shape.v_channels;
    const auto q = Wide(a.q, qk), k = Wide(a.k, qk), v = Wide(a.v, values);
    auto again = fast::Attention(q, k, v, shape);
    std::vector<Bf16> out(again.out.size());
    Put(out.data(), again.out);
    const bool kept = std::ranges::equal(again.log_sums, Of(a.log_sums, tokens * shape.heads)) &&
                      std::memcmp(out.data(), a.out, out.size() * sizeof(Bf16)) == 0;
    if (!kept) return thread_.Fail("attention's gradient: not the results of its forward pass");
    const auto d = fast::AttentionInputGradient(q, k, v, Wide(g.d_out, values), shape);
    Put(g.dq, d.dq);
    Put(g.dk, d.dk);
    Put(g.dv, d.dv);
    std::ranges::fill(Of(g.along, tokens * shape.heads), 0.0F);
  });
}

}  // namespace pipescope::transformer::device
