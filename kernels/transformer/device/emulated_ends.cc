// Everything else of emulated_kernels.h: the router, the ends of a model, rows that move, sums.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "kernels/fast/layers.h"
#include "kernels/train/embedding.h"
#include "kernels/transformer/device/bf16_arrays.h"
#include "kernels/transformer/device/emulated_kernels.h"
#include "kernels/transformer/parameter.h"
#include "kernels/transformer/tape.h"

namespace pipescope::transformer::device {

namespace fast = kernels::fast;
using kernels::device::Load;
using kernels::device::Store;

void EmulatedKernels::Upload(void* to, const void* from, int64_t bytes) {
  const auto* begin = static_cast<const std::byte*>(from);
  thread_.Put([to, copy = std::vector<std::byte>(begin, begin + bytes)] {
    if (!copy.empty()) std::memcpy(to, copy.data(), copy.size());
  });
}

void EmulatedKernels::CopyBytes(void* to, const void* from, int64_t bytes) {
  thread_.Put([=] { std::memcpy(to, from, static_cast<size_t>(bytes)); });
}

void EmulatedKernels::Zero(void* to, int64_t bytes) {
  thread_.Put([=] { std::memset(to, 0, static_cast<size_t>(bytes)); });
}

// NaN in every format.
void EmulatedKernels::Forget(void* at, int64_t bytes) {
  thread_.Put([=] { std::memset(at, 0xff, static_cast<size_t>(bytes)); });
}

void EmulatedKernels::Route(const float* logits, const kernels::RouterConfig& config,
                            int32_t* experts, float* weights, int64_t tokens) {
  thread_.Put([=] {
    const auto routes = kernels::Route(Of(logits, tokens * config.experts), {}, config);
    std::ranges::copy(routes.experts, experts);
    std::ranges::copy(routes.weights, weights);
  });
}

void EmulatedKernels::RouteInputGradient(const float* logits, const int32_t* experts,
                                         const float* d_weights,
                                         const kernels::RouterConfig& config, float* d_logits,
                                         int64_t tokens) {
  thread_.Put([=] {
    const int64_t chosen = tokens * config.selected;
    std::ranges::copy(
        kernels::RouteInputGradient(Of(logits, tokens * config.experts), Of(experts, chosen),
                                    Of(d_weights, chosen), config),
        d_logits);
  });
}

void EmulatedKernels::CrossEntropy(Bf16* logits, const int32_t* targets, const float* d_losses,
                                   bool gradient, float* losses, Extent s) {
  thread_.Put([=] {
    const auto wide = Wide(logits, s.count());
    const auto ids = Of(targets, s.rows);
    std::ranges::copy(fast::CrossEntropy(wide, ids, s.columns), losses);
    if (!gradient) return;
    Put(logits, fast::CrossEntropyInputGradient(wide, ids, Of(d_losses, s.rows), s.columns));
  });
}

void EmulatedKernels::Gather(const Bf16* x, const int64_t* from, Bf16* y, Extent s) {
  thread_.Put([=] {
    for (int64_t r = 0; r < s.rows; ++r) {
      if (from[r] < 0) {
        std::fill_n(y + r * s.columns, s.columns, Bf16{});
      } else {
        std::copy_n(x + from[r] * s.columns, s.columns, y + r * s.columns);
      }
    }
  });
}

void EmulatedKernels::SumOfRows(const Bf16* rows, const int64_t* which, const float* weights,
                                int count, Bf16* y, Extent s) {
  thread_.Put([=] {
    std::vector<float> sum(static_cast<size_t>(s.columns));
    for (int64_t r = 0; r < s.rows; ++r) {
      std::ranges::fill(sum, 0.0F);
      for (int64_t at = r * count; at < (r + 1) * count; ++at) {
        if (which[at] < 0) continue;
        const Bf16* row = rows + which[at] * s.columns;
        const float weight = weights == nullptr ? 1.0F : weights[at];
        for (float& value : sum) value += weight * Load(*row++);
      }
      Put(y + r * s.columns, sum);
    }
  });
}

void EmulatedKernels::UnpermuteGradient(const Bf16* rows, const Bf16* dy, const float* weights,
                                        const int64_t* rows_of, int selected, Bf16* d_rows,
                                        float* d_weights, Extent s) {
  thread_.Put([=] {
    const kernels::Permutation alone{1, {1}, {0, 1}, {0}, {0}};
    for (int64_t slot = 0; slot < s.rows; ++slot) {
      if (rows_of[slot] < 0) continue;
      const auto row = Wide(rows + rows_of[slot] * s.columns, s.columns);
      const auto g = Wide(dy + slot / selected * s.columns, s.columns);
      d_weights[slot] = fast::UnpermuteWeightGradient(g, row, alone, s.columns).front();
      Bf16* to = d_rows + rows_of[slot] * s.columns;
      for (const float value : g) Store(*to++, weights[slot] * value);
    }
  });
}

void EmulatedKernels::EmbeddingGradient(const Bf16* dy, const int32_t* positions,
                                        const int64_t* begins, float* d_table, Extent table) {
  thread_.Put([=] {
    std::vector<int32_t> tokens(static_cast<size_t>(begins[table.rows]));
    for (int64_t v = 0; v < table.rows; ++v) {
      for (int64_t p = begins[v]; p < begins[v + 1]; ++p) {
        tokens[static_cast<size_t>(positions[p])] = static_cast<int32_t>(v);
      }
    }
    const auto count = static_cast<int64_t>(tokens.size());
    std::ranges::copy(kernels::EmbeddingWeightGradient(tokens, Wide(dy, count * table.columns),
                                                       table.rows, table.columns),
                      d_table);
  });
}

void EmulatedKernels::Add(const Bf16* a, const Bf16* b, Bf16* y, Extent s) {
  thread_.Put([=] {
    for (int64_t i = 0; i < s.count(); ++i) Store(y[i], Load(a[i]) + Load(b[i]));
  });
}

void EmulatedKernels::MoveColumns(const Bf16* x, Bf16* y, const ColumnMove& m) {
  thread_.Put([=] {
    for (int64_t r = 0; r < m.size.rows; ++r) {
      std::copy_n(x + r / m.repeat * m.from_stride, m.size.columns, y + r * m.to_stride);
    }
  });
}

void EmulatedKernels::Widen(const Bf16* x, float* y, int64_t count) {
  thread_.Put([=] { std::ranges::copy(Wide(x, count), y); });
}

void EmulatedKernels::Narrow(const float* x, Bf16* y, int64_t count) {
  thread_.Put([=] { Put(y, Of(x, count)); });
}

void EmulatedKernels::RoundFloats(float* x, int64_t count) {
  thread_.Put([=] { RoundToBf16(Of(x, count)); });
}

void EmulatedKernels::GatherFloats(const float* x, const int64_t* from, float* y, int64_t count) {
  thread_.Put([=] {
    for (int64_t i = 0; i < count; ++i) y[i] = from[i] < 0 ? 0 : x[from[i]];
  });
}

void EmulatedKernels::ScatterFloats(const float* x, const int64_t* to, float* y, int64_t count) {
  thread_.Put([=] {
    for (int64_t i = 0; i < count; ++i) {
      if (to[i] >= 0) y[to[i]] = x[i];
    }
  });
}

void EmulatedKernels::AddToSum(const float* gradient, double* sum, int64_t count) {
  thread_.Put([=] {
    for (int64_t i = 0; i < count; ++i) sum[i] += (double{gradient[i]} + kGrid) - kGrid;
  });
}

void EmulatedKernels::AddSums(const double* const* sums, int copies, float* gradient,
                              int32_t* inexact, int64_t count) {
  thread_.Put([=] {
    for (int64_t i = 0; i < count; ++i) {
      double sum = 0, magnitude = 0;
      for (int c = 0; c < copies; ++c) {
        sum += sums[c][i];
        magnitude += std::fabs(sums[c][i]);
      }
      if (!(magnitude < kLargestSum)) *inexact = 1;  // NaN too
      gradient[i] = static_cast<float>(sum);
    }
  });
}

void EmulatedKernels::AdamW(const kernels::AdamW& adamw, int64_t step, const float* gradient,
                            float* weights, Bf16* first, Bf16* second, Bf16* used, int64_t count) {
  static_assert(sizeof(Bf16) == sizeof(uint16_t));
  thread_.Put([=] {
    const auto codes = [&](Bf16* x) { return Of(&x->code, count); };
    fast::AdamWStep(adamw, step, Of(gradient, count), Of(weights, count), codes(first),
                    codes(second));
    Put(used, Of(weights, count));
  });
}

}  // namespace pipescope::transformer::device
