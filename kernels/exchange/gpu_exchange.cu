#include <algorithm>

#include "kernels/exchange/gpu_exchange.h"
#include "kernels/exchange/gpu_fabric.cuh"
#include "kernels/exchange/gpu_kernels.cuh"
#include "kernels/exchange/gpu_rank.cuh"

namespace pipescope::kernels::exchange {
namespace {

template <Scope scope>
struct Maker {
  std::byte* const* windows;
  __device__ GpuFabric<scope> operator()(const Rank& rank) const { return {rank, windows}; }
};

// What belongs to one GPU: its ranks, in order, and the windows of all.
struct Gpu {
  std::vector<int> ranks;
  GpuBytes ranks_memory, windows, stuck;
  cudaStream_t stream = nullptr;
  cudaEvent_t begin = nullptr;
  cudaEvent_t end = nullptr;
};

template <Scope scope>
class GpuExchange : public Exchange {
 public:
  GpuExchange(const Config& config, int gpus)
      : config_(config),
        window_(config_),
        memory_(static_cast<size_t>(config.ranks())),
        ranks_(memory_.size()),
        gpus_(static_cast<size_t>(gpus)) {}

  ~GpuExchange() override {
    for (size_t g = 0; g < gpus_.size(); ++g) {
      cudaSetDevice(static_cast<int>(g));
      if (gpus_[g].begin != nullptr) cudaEventDestroy(gpus_[g].begin);
      if (gpus_[g].end != nullptr) cudaEventDestroy(gpus_[g].end);
      if (gpus_[g].stream != nullptr) cudaStreamDestroy(gpus_[g].stream);
    }
  }

  Status Start() {
    std::vector<std::byte*> windows;
    for (int r = 0; r < config_.ranks(); ++r) {
      Rank& rank = RankAt(r);
      if (auto ok = Memory(r).Start(config_, GpuOf(r), &rank); !ok) return ok;
      rank.config = config_;
      rank.node = config_.NodeOf(r);
      rank.local = config_.LocalOf(r);
      windows.push_back(Memory(r).window());
      At(GpuOf(r)).ranks.push_back(r);
    }
    for (size_t g = 0; g < gpus_.size(); ++g) {
      if (auto ok = StartGpu(static_cast<int>(g), windows); !ok) return ok;
    }
    return {};
  }

  Result<std::vector<DispatchOutput>> Dispatch(const std::vector<DispatchInput>& inputs) override {
    if (auto ok = CheckInputs(config_, inputs, true); !ok) return Fail(ok.error());
    for (int r = 0; r < config_.ranks(); ++r) {
      RankAt(r).tokens = inputs[static_cast<size_t>(r)].tokens;
    }
    if (auto ok = PutInputs(inputs, true); !ok) return Fail(ok.error());
    if (auto ok = RunNotify(); !ok) return Fail(ok.error());
    return Send();
  }

  Result<std::vector<DispatchOutput>> DispatchAgain(
      const std::vector<DispatchInput>& inputs) override {
    if (rows_.empty()) return Fail("a dispatch with an old plan: expected a full one before it");
    if (auto ok = CheckInputs(config_, inputs, false); !ok) return Fail(ok.error());
    if (auto ok = PutInputs(inputs, false); !ok) return Fail(ok.error());
    return Send();
  }

  Result<std::vector<CombineOutput>> Combine(const std::vector<CombineInput>& inputs,
                                             bool weights) override {
    if (rows_.empty()) return Fail("a combine: expected a dispatch before it");
    if (inputs.size() != ranks_.size()) return Fail("results: expected those of all ranks");
    for (int r = 0; r < config_.ranks(); ++r) {
      const size_t i = static_cast<size_t>(r);
      if (auto ok = CheckResults(config_, inputs[i], weights, rows_[i], i); !ok) {
        return Fail(ok.error());
      }
      if (auto ok = Memory(r).PutResults(inputs[static_cast<size_t>(r)], weights, &RankAt(r));
          !ok) {
        return Fail(ok.error());
      }
    }
    if (auto ok = Run<Direction::kCombine>(); !ok) return Fail(ok.error());
    std::vector<CombineOutput> outputs;
    for (int r = 0; r < config_.ranks(); ++r) {
      CombineOutput& out =
          outputs.emplace_back(PoisonedCombine(config_, RankAt(r).tokens, weights));
      if (auto ok = Memory(r).GetSums(&out); !ok) return Fail(ok.error());
    }
    return outputs;
  }

  // On several GPUs the longest of their times.
  Result<std::vector<double>> Seconds(Part part, int runs) override {
    if (rows_.empty()) return Fail("a part again: expected it once before");
    std::vector<double> seconds;
    for (int i = 0; i < runs; ++i) {
      const Status ok = part == Part::kNotify     ? RunNotify()
                        : part == Part::kDispatch ? Run<Direction::kDispatch>()
                                                  : Run<Direction::kCombine>();
      if (!ok) return Fail(ok.error());
      float longest = 0;
      for (Gpu& gpu : gpus_) {
        float ms = 0;
        if (auto good = Cuda(cudaEventElapsedTime(&ms, gpu.begin, gpu.end), "a time"); !good) {
          return Fail(good.error());
        }
        longest = std::max(longest, ms);
      }
      seconds.push_back(longest * 1e-3);
    }
    return seconds;
  }

 private:
  int GpuOf(int rank) const { return rank % static_cast<int>(gpus_.size()); }
  Gpu& At(int gpu) { return gpus_[static_cast<size_t>(gpu)]; }
  RankMemory& Memory(int rank) { return memory_[static_cast<size_t>(rank)]; }
  Rank& RankAt(int rank) { return ranks_[static_cast<size_t>(rank)]; }

  Status StartGpu(int g, const std::vector<std::byte*>& windows) {
    Gpu& gpu = At(g);
    if (auto ok = gpu.windows.Put(g, windows); !ok) return ok;
    if (auto ok = gpu.stuck.Reset(g, sizeof(int), 0); !ok) return ok;
    for (int other = 0; other < static_cast<int>(gpus_.size()); ++other) {
      if (other == g) continue;
      const cudaError_t peer = cudaDeviceEnablePeerAccess(other, 0);
      if (peer == cudaErrorPeerAccessAlreadyEnabled) {
        cudaGetLastError();  // forgets it
      } else if (auto ok = Cuda(peer, "peer access between GPUs"); !ok) {
        return ok;
      }
    }
    if (auto ok = Cuda(cudaStreamCreate(&gpu.stream), "a stream"); !ok) return ok;
    if (auto ok = Cuda(cudaEventCreate(&gpu.begin), "an event"); !ok) return ok;
    return Cuda(cudaEventCreate(&gpu.end), "an event");
  }

  Status PutInputs(const std::vector<DispatchInput>& inputs, bool with_experts) {
    for (int r = 0; r < config_.ranks(); ++r) {
      const DispatchInput& in = inputs[static_cast<size_t>(r)];
      if (in.tokens != RankAt(r).tokens) return Fail("tokens: expected as many as before");
      if (auto ok = Memory(r).PutInput(in, with_experts, &RankAt(r)); !ok) return ok;
    }
    return {};
  }

  // Notify, and how many rows each rank is to receive.
  Status RunNotify() {
    const auto launch = [&](Gpu& gpu, const Rank* ranks, Maker<scope> maker) {
      const unsigned count = static_cast<unsigned>(gpu.ranks.size());
      const dim3 blocks(count, static_cast<unsigned>(config_.channels()));
      LayOutKernel<<<blocks, 32 * config_.nodes, 0, gpu.stream>>>(ranks, maker);
      NotifyKernel<<<count, 32, 0, gpu.stream>>>(ranks, maker, gpu.stuck.template as<int>());
      return Cuda(cudaGetLastError(), "the notify's launch");
    };
    if (auto ok = OnAll(launch); !ok) return ok;
    rows_.assign(ranks_.size(), 0);
    for (size_t r = 0; r < ranks_.size(); ++r) {
      if (auto ok = GetArray(ranks_[r].plan.totals, 1, &rows_[r]); !ok) return ok;
    }
    return {};
  }

  template <Direction direction>
  Status Run() {
    const auto launch = [&](Gpu& gpu, const Rank* ranks, Maker<scope> maker) {
      int* stuck = gpu.stuck.template as<int>();
      void* arguments[] = {&ranks, &maker, &stuck};
      const dim3 blocks(static_cast<unsigned>(gpu.ranks.size()),
                        static_cast<unsigned>(config_.sms));
      const dim3 threads(static_cast<unsigned>(32 * WarpsOfBlock(config_, direction)));
      return Cuda(cudaLaunchCooperativeKernel(RolesKernel<direction, Maker<scope>>, blocks, threads,
                                              arguments, 0, gpu.stream),
                  "launching all SMs of all ranks at once");
    };
    return OnAll(launch);
  }

  // Starts all GPUs before it waits for any.
  template <class Launch>
  Status OnAll(const Launch& launch) {
    for (int g = 0; g < static_cast<int>(gpus_.size()); ++g) {
      Gpu& gpu = At(g);
      std::vector<Rank> ranks;
      for (int r : gpu.ranks) ranks.push_back(RankAt(r));
      if (auto ok = gpu.ranks_memory.Put(g, ranks); !ok) return ok;
      if (auto ok = Cuda(cudaDeviceSynchronize(), "a copy"); !ok) return ok;
    }
    for (int g = 0; g < static_cast<int>(gpus_.size()); ++g) {
      Gpu& gpu = At(g);
      cudaSetDevice(g);
      cudaEventRecord(gpu.begin, gpu.stream);
      const Maker<scope> maker = {gpu.windows.template as<std::byte*>()};
      if (auto ok = launch(gpu, gpu.ranks_memory.template as<Rank>(), maker); !ok) return ok;
      cudaEventRecord(gpu.end, gpu.stream);
    }
    int all_stuck = 0;
    for (int g = 0; g < static_cast<int>(gpus_.size()); ++g) {
      cudaSetDevice(g);
      if (auto ok = Cuda(cudaStreamSynchronize(At(g).stream), "the exchange"); !ok) return ok;
      std::vector<int> stuck(1);
      if (auto ok = At(g).stuck.Get(&stuck); !ok) return ok;
      all_stuck += stuck[0];
    }
    if (all_stuck == 0) return {};
    return Fail("the exchange stands still: " + std::to_string(all_stuck) + " roles wait");
  }

  Result<std::vector<DispatchOutput>> Send() {
    for (int r = 0; r < config_.ranks(); ++r) {
      if (auto ok = Memory(r).MakeRoom(rows_[static_cast<size_t>(r)], &RankAt(r)); !ok)
        return Fail(ok.error());
    }
    if (auto ok = Run<Direction::kDispatch>(); !ok) return Fail(ok.error());
    std::vector<DispatchOutput> outputs;
    for (int r = 0; r < config_.ranks(); ++r) {
      DispatchOutput& out =
          outputs.emplace_back(PoisonedDispatch(config_, rows_[static_cast<size_t>(r)]));
      if (auto ok = Memory(r).GetOutput(RankAt(r), &out); !ok) return Fail(ok.error());
    }
    return outputs;
  }

  const Config config_;
  const Window window_;
  std::vector<RankMemory> memory_;
  std::vector<Rank> ranks_;
  std::vector<Gpu> gpus_;
  std::vector<int> rows_;  // each rank receives
};

template <Scope scope>
Result<std::unique_ptr<Exchange>> Started(const Config& config, int gpus) {
  auto exchange = std::make_unique<GpuExchange<scope>>(config, gpus);
  if (auto ok = exchange->Start(); !ok) return Fail(ok.error());
  return std::unique_ptr<Exchange>(std::move(exchange));
}

}  // namespace

Result<std::unique_ptr<Exchange>> MakeGpuExchange(const Config& config, int gpus) {
  if (auto ok = CheckConfig(config); !ok) return Fail(ok.error());
  if (auto ok = CheckWarps(config); !ok) return Fail(ok.error());
  int count = 0;
  if (auto ok = Cuda(cudaGetDeviceCount(&count), "an exchange on GPUs"); !ok) {
    return Fail(ok.error());
  }
  if (gpus < 1 || gpus > count) {
    return Fail("gpus: " + std::to_string(gpus) + ": expected 1 to " + std::to_string(count) +
                ", as many as there are");
  }
  return gpus == 1 ? Started<Scope::kGpu>(config, gpus) : Started<Scope::kSystem>(config, gpus);
}

}  // namespace pipescope::kernels::exchange
