// The device memory of one rank: its window, its plan, what goes in and comes out. Outputs are
// poisoned before each call.
#pragma once

#include "kernels/exchange/data.h"
#include "kernels/exchange/gpu_memory.cuh"
#include "kernels/exchange/window.h"

namespace pipescope::kernels::exchange {

template <class T>
Status GetArray(const T* from, size_t count, T* to) {
  return Cuda(cudaMemcpy(to, from, count * sizeof(T), cudaMemcpyDefault), "a copy from the device");
}

template <class T>
Status PutArray(const T* from, size_t count, T* to) {
  return Cuda(cudaMemcpy(to, from, count * sizeof(T), cudaMemcpyDefault), "a copy to the device");
}

class RankMemory {
 public:
  std::byte* window() const { return window_.as(); }

  // Sets the rank's plan.
  Status Start(const Config& config, int gpu, Rank* rank) {
    if (auto ok = window_.Reset(gpu, Window(config).bytes(), 0); !ok) return ok;
    return StartPlan(config, gpu, rank);
  }

  // Where the window is another's.
  Status StartPlan(const Config& config, int gpu, Rank* rank) {
    gpu_ = gpu;
    if (auto ok = plan_.Reset(gpu, MakePlan(config, nullptr, &rank->plan), 0); !ok) return ok;
    MakePlan(config, plan_.as(), &rank->plan);
    return {};
  }

  Status PutInput(const DispatchInput& in, bool with_experts, Rank* rank) {
    if (auto ok = values_.Put(gpu_, in.values); !ok) return ok;
    if (auto ok = scales_.Put(gpu_, in.scales); !ok) return ok;
    rank->with_experts = with_experts;
    if (with_experts) {
      if (auto ok = experts_.Put(gpu_, in.experts); !ok) return ok;
      if (auto ok = weights_.Put(gpu_, in.weights); !ok) return ok;
    }
    rank->in = {values_.as(), scales_.as<float>(), experts_.as<int32_t>(), weights_.as<float>()};
    return {};
  }

  Status MakeRoom(int64_t rows, Rank* rank) {
    const Config& g = rank->config;
    const std::pair<GpuBytes*, int64_t> needs[] = {{&out_values_, g.value_bytes()},
                                                   {&out_scales_, 4 * g.scales()},
                                                   {&out_experts_, 4 * g.selected},
                                                   {&out_weights_, 4 * g.selected},
                                                   {&out_sources_, sizeof(Source)}};
    for (const auto& [bytes, of_row] : needs) {
      if (auto ok = bytes->Reset(gpu_, rows * of_row, kPoison); !ok) return ok;
    }
    rank->out = {out_values_.as(), out_scales_.as<float>(), out_experts_.as<int32_t>(),
                 out_weights_.as<float>(), out_sources_.as<Source>()};
    return {};
  }

  Status GetOutput(const Rank& rank, DispatchOutput* out) const {
    if (auto ok = out_values_.Get(&out->values); !ok) return ok;
    if (auto ok = out_scales_.Get(&out->scales); !ok) return ok;
    if (auto ok = out_sources_.Get(&out->sources); !ok) return ok;
    out->expert_rows.resize(static_cast<size_t>(rank.config.experts_of_rank()));
    auto ok = GetArray(rank.plan.expert_rows, out->expert_rows.size(), out->expert_rows.data());
    if (!ok) return ok;
    if (!rank.with_experts) {
      out->experts.clear();
      out->weights.clear();
      return {};
    }
    if (ok = out_experts_.Get(&out->experts); !ok) return ok;
    return out_weights_.Get(&out->weights);
  }

  Status PutResults(const CombineInput& in, bool weights, Rank* rank) {
    const Config& g = rank->config;
    const int64_t tokens = rank->tokens;
    if (auto ok = back_.Put(gpu_, in.values); !ok) return ok;
    if (auto ok = back_weights_.Put(gpu_, in.weights); !ok) return ok;
    if (auto ok = sums_.Reset(gpu_, tokens * 2 * g.hidden, kPoison); !ok) return ok;
    if (auto ok = weight_sums_.Reset(gpu_, tokens * 4 * g.selected, kPoison); !ok) return ok;
    rank->with_weights = weights;
    rank->back = {back_.as(), back_weights_.as<float>(), sums_.as(), weight_sums_.as<float>()};
    return {};
  }

  Status GetSums(CombineOutput* out) const {
    if (auto ok = sums_.Get(&out->values); !ok) return ok;
    return weight_sums_.Get(&out->weights);
  }

 private:
  static constexpr int kPoison = 0xcb;

  int gpu_ = 0;
  GpuBytes window_, plan_;
  GpuBytes values_, scales_, experts_, weights_;
  GpuBytes out_values_, out_scales_, out_experts_, out_weights_, out_sources_;
  GpuBytes back_, back_weights_, sums_, weight_sums_;
};

}  // namespace pipescope::kernels::exchange
