#include <cstring>

#include "kernels/exchange/gpu_kernels.cuh"
#include "kernels/exchange/gpu_rank.cuh"
#include "kernels/exchange/nccl_exchange.h"
#include "kernels/exchange/nccl_fabric.cuh"
#include "kernels/exchange/nccl_send_recv.cuh"

namespace pipescope::kernels::exchange {
namespace {

struct Maker {
  ncclDevComm comm;
  ncclWindow_t window;
  __device__ NcclFabric operator()(const Rank& rank) const { return {rank, comm, window}; }
};

class NcclRankImpl : public NcclRank {
 public:
  NcclRankImpl(const NcclLibrary& nccl, const Config& config, int gpu, Way way)
      : nccl_(nccl), config_(config), gpu_(gpu), way_(way), send_recv_(nccl, config_) {}

  ~NcclRankImpl() override {
    cudaSetDevice(gpu_);
    if (begin_ != nullptr) cudaEventDestroy(begin_);
    if (end_ != nullptr) cudaEventDestroy(end_);
    if (has_device_comm_) nccl_.destroy_device_comm(comm_, &maker_.comm);
    if (maker_.window != nullptr) nccl_.remove_window(comm_, maker_.window);
    if (window_ != nullptr) nccl_.free(window_);
    if (comm_ != nullptr) nccl_.destroy(comm_);
  }

  Status Start(int rank, const NcclId& id) {
    rank_.config = config_;
    rank_.node = config_.NodeOf(rank);
    rank_.local = config_.LocalOf(rank);
    ncclUniqueId unique;
    static_assert(sizeof(unique) == sizeof(id));
    std::memcpy(&unique, id.data(), sizeof(unique));
    if (auto ok = Cuda(cudaSetDevice(gpu_), "a device"); !ok) return ok;
    auto ok = nccl_.Check(nccl_.init(&comm_, config_.ranks(), unique, rank), "meeting of ranks");
    if (!ok) return ok;
    if (way_ == Way::kProtocol) {
      if (ok = StartWindow(); !ok) return ok;
      if (ok = StartDeviceComm(); !ok) return ok;
    }
    if (ok = Cuda(cudaEventCreate(&begin_), "an event"); !ok) return ok;
    if (ok = Cuda(cudaEventCreate(&end_), "an event"); !ok) return ok;
    if (ok = memory_.StartPlan(config_, gpu_, &rank_); !ok) return ok;
    return stuck_.Reset(gpu_, sizeof(int), 0);
  }

  Result<DispatchOutput> Dispatch(const DispatchInput& input) override {
    if (auto ok = CheckInput(config_, input, Index(), true); !ok) return Fail(ok.error());
    rank_.tokens = input.tokens;
    if (auto ok = memory_.PutInput(input, true, &rank_); !ok) return Fail(ok.error());
    if (way_ == Way::kSendRecv) {
      const auto rows = send_recv_.Plan(comm_, gpu_, input, rank_);
      if (!rows) return Fail(rows.error());
      rows_ = *rows;
    } else if (auto ok = Notify(); !ok) {
      return Fail(ok.error());
    }
    return Send();
  }

  Result<DispatchOutput> DispatchAgain(const DispatchInput& input) override {
    if (input.tokens != rank_.tokens) return Fail("tokens: expected as many as before");
    if (auto ok = CheckInput(config_, input, Index(), false); !ok) return Fail(ok.error());
    if (auto ok = memory_.PutInput(input, false, &rank_); !ok) return Fail(ok.error());
    return Send();
  }

  Result<CombineOutput> Combine(const CombineInput& input, bool weights) override {
    if (auto ok = CheckResults(config_, input, weights, rows_, Index()); !ok) {
      return Fail(ok.error());
    }
    if (auto ok = memory_.PutResults(input, weights, &rank_); !ok) return Fail(ok.error());
    if (auto ok = Run<Direction::kCombine>(); !ok) return Fail(ok.error());
    CombineOutput out = PoisonedCombine(config_, rank_.tokens, weights);
    if (auto ok = memory_.GetSums(&out); !ok) return Fail(ok.error());
    return out;
  }

  Result<std::vector<double>> Seconds(Part part, int runs) override {
    if (part == Part::kNotify) return Fail("part: expected dispatch or combine");
    std::vector<double> seconds;
    for (int i = 0; i < runs; ++i) {
      const auto ok =
          part == Part::kDispatch ? Run<Direction::kDispatch>() : Run<Direction::kCombine>();
      if (!ok) return Fail(ok.error());
      float ms = 0;
      const auto timed = Cuda(cudaEventElapsedTime(&ms, begin_, end_), "a time");
      if (!timed) return Fail(timed.error());
      seconds.push_back(ms * 1e-3);
    }
    return seconds;
  }

 private:
  size_t Index() const { return static_cast<size_t>(config_.RankOf(rank_.node, rank_.local)); }

  Status StartWindow() {
    const size_t bytes =
        static_cast<size_t>(AlignUp(Window(config_).bytes(), NCCL_WIN_REQUIRED_ALIGNMENT));
    auto ok = nccl_.Check(nccl_.allocate(&window_, bytes), "memory");
    if (!ok) return ok;
    if (ok = Cuda(cudaMemset(window_, 0, bytes), "memory"); !ok) return ok;
    return nccl_.Check(
        nccl_.add_window(comm_, window_, bytes, &maker_.window, NCCL_WIN_COLL_SYMMETRIC),
        "a window");
  }

  Status StartDeviceComm() {
    ncclDevCommRequirements requirements = {};
    requirements.ginForceEnable = config_.nodes > 1;
    requirements.ginContextCount = 1;
    requirements.ginSignalCount = config_.nodes > 1 ? Window(config_).counters() : 0;
    auto ok = nccl_.Check(nccl_.device_comm(comm_, &requirements, &maker_.comm),
                          "its device side (GIN needs a NIC that it knows)");
    if (!ok) return ok;
    has_device_comm_ = true;
    if (maker_.comm.lsaSize == config_.locals) return {};
    return Fail("locals: " + std::to_string(config_.locals) + ": expected " +
                std::to_string(maker_.comm.lsaSize) + ", the GPUs that reach each other here");
  }

  Status Notify() {
    const dim3 blocks(1, static_cast<unsigned>(config_.channels()));
    if (auto ok = PutRank(); !ok) return ok;
    LayOutKernel<<<blocks, 32 * config_.nodes>>>(ranks_.as<Rank>(), maker_);
    NotifyKernel<<<1, 32>>>(ranks_.as<Rank>(), maker_, stuck_.as<int>());
    if (auto ok = Wait(); !ok) return ok;
    return GetArray(rank_.plan.totals, 1, &rows_);
  }

  Result<DispatchOutput> Send() {
    if (auto ok = memory_.MakeRoom(rows_, &rank_); !ok) return Fail(ok.error());
    if (auto ok = Run<Direction::kDispatch>(); !ok) return Fail(ok.error());
    DispatchOutput out = PoisonedDispatch(config_, rows_);
    if (auto ok = memory_.GetOutput(rank_, &out); !ok) return Fail(ok.error());
    return out;
  }

  template <Direction direction>
  Status Run() {
    if (auto ok = PutRank(); !ok) return ok;
    cudaEventRecord(begin_, nullptr);
    const auto ok = way_ == Way::kProtocol ? LaunchRoles<direction>() : LaunchSendRecv<direction>();
    cudaEventRecord(end_, nullptr);
    return ok ? Wait() : ok;
  }

  template <Direction direction>
  Status LaunchRoles() {
    const Rank* ranks = ranks_.as<Rank>();
    int* stuck = stuck_.as<int>();
    void* arguments[] = {&ranks, &maker_, &stuck};
    const dim3 blocks(1, static_cast<unsigned>(config_.sms));
    const dim3 threads(static_cast<unsigned>(32 * WarpsOfBlock(config_, direction)));
    return Cuda(cudaLaunchCooperativeKernel(RolesKernel<direction, Maker>, blocks, threads,
                                            arguments, 0, nullptr),
                "launching all SMs at once");
  }

  template <Direction direction>
  Status LaunchSendRecv() {
    const Rank* rank = ranks_.as<Rank>();
    return direction == Direction::kDispatch ? send_recv_.Dispatch(comm_, rank)
                                             : send_recv_.Combine(comm_, rank);
  }

  Status PutRank() { return ranks_.Put(gpu_, std::vector<Rank>{rank_}); }

  Status Wait() {
    if (auto ok = Cuda(cudaGetLastError(), "a launch"); !ok) return ok;
    if (auto ok = Cuda(cudaDeviceSynchronize(), "the exchange"); !ok) return ok;
    int stuck = 0;
    if (auto ok = GetArray(stuck_.as<int>(), 1, &stuck); !ok) return ok;
    if (stuck == 0) return {};
    return Fail("the exchange stands still: " + std::to_string(stuck) + " roles wait");
  }

  const NcclLibrary& nccl_;
  const Config config_;
  const int gpu_;
  const Way way_;
  SendRecv send_recv_;
  cudaEvent_t begin_ = nullptr;
  cudaEvent_t end_ = nullptr;
  ncclComm_t comm_ = nullptr;
  void* window_ = nullptr;
  Maker maker_ = {};
  bool has_device_comm_ = false;
  Rank rank_;
  RankMemory memory_;
  GpuBytes ranks_, stuck_;
  int rows_ = 0;
};

}  // namespace

Result<NcclId> NewNcclId() {
  const auto nccl = LoadNccl();
  if (!nccl) return Fail(nccl.error());
  ncclUniqueId unique;
  if (auto ok = (*nccl)->Check((*nccl)->unique_id(&unique), "an id"); !ok) return Fail(ok.error());
  NcclId id;
  std::memcpy(id.data(), &unique, sizeof(unique));
  return id;
}

Result<std::unique_ptr<NcclRank>> NcclRank::Make(const Config& config, int rank, int gpu,
                                                 const NcclId& id, Way way) {
  if (auto ok = CheckConfig(config); !ok) return Fail(ok.error());
  if (auto ok = CheckWarps(config); !ok) return Fail(ok.error());
  const auto nccl = LoadNccl();
  if (!nccl) return Fail(nccl.error());
  auto made = std::make_unique<NcclRankImpl>(**nccl, config, gpu, way);
  if (auto ok = made->Start(rank, id); !ok) return Fail(ok.error());
  return std::unique_ptr<NcclRank>(std::move(made));
}

}  // namespace pipescope::kernels::exchange
