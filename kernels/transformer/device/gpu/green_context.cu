#include <string>

#include "kernels/exchange/gpu_memory.cuh"
#include "kernels/transformer/device/gpu/green_context.cuh"

namespace pipescope::transformer::device {
namespace {

using kernels::exchange::Cuda;

// The driver is not linked: its functions are asked for, with the version that first had them.
struct Driver {
  decltype(&cuDeviceGetDevResource) get_resource = nullptr;
  decltype(&cuDevSmResourceSplitByCount) split = nullptr;
  decltype(&cuDevResourceGenerateDesc) describe = nullptr;
  decltype(&cuGreenCtxCreate) create = nullptr;
  decltype(&cuGreenCtxDestroy) destroy = nullptr;
  decltype(&cuGreenCtxStreamCreate) create_stream = nullptr;
  decltype(&cuStreamDestroy) destroy_stream = nullptr;
  decltype(&cuGetErrorString) error = nullptr;

  Status Check(CUresult result, const char* what) const {
    if (result == CUDA_SUCCESS) return {};
    const char* why = nullptr;
    error(result, &why);
    return Fail(std::string("green contexts: ") + what + ": " +
                (why == nullptr ? std::to_string(result) : why));
  }
};

template <class Function>
Status Find(const char* name, unsigned version, Function& function) {
  void* found = nullptr;
  cudaDriverEntryPointQueryResult how = cudaDriverEntryPointSymbolNotFound;
  const cudaError_t status =
      cudaGetDriverEntryPointByVersion(name, &found, version, cudaEnableDefault, &how);
  if (auto ok = Cuda(status, name); !ok) return ok;
  if (how != cudaDriverEntryPointSuccess || found == nullptr) {
    return Fail(std::string("green contexts: the driver has no ") + name +
                ": expected 12.5 or later");
  }
  function = reinterpret_cast<Function>(found);
  return {};
}

Result<Driver> LoadDriver() {
  Driver d;
  Status all;
  const auto find = [&](const char* name, unsigned version, auto& function) {
    if (all) all = Find(name, version, function);
  };
  find("cuDeviceGetDevResource", 12040, d.get_resource);
  find("cuDevSmResourceSplitByCount", 12040, d.split);
  find("cuDevResourceGenerateDesc", 12040, d.describe);
  find("cuGreenCtxCreate", 12040, d.create);
  find("cuGreenCtxDestroy", 12040, d.destroy);
  find("cuGreenCtxStreamCreate", 12050, d.create_stream);
  find("cuStreamDestroy", 4000, d.destroy_stream);
  find("cuGetErrorString", 6000, d.error);
  if (!all) return Fail(all.error());
  return d;
}

class Contexts : public GreenContexts {
 public:
  Contexts(const Driver& driver, int gpu) : d_(driver), gpu_(gpu) {}

  ~Contexts() override {
    cudaSetDevice(gpu_);
    for (const auto* streams : {&compute_, &communication_}) {
      for (CUstream stream : *streams) d_.destroy_stream(stream);
    }
    for (CUgreenCtx context : contexts_) d_.destroy(context);
  }

  Status Start(int ranks, int communication_sms) {
    if (auto ok = Cuda(cudaSetDevice(gpu_), "a device"); !ok) return ok;
    if (auto ok = Cuda(cudaFree(nullptr), "the GPU's context"); !ok) return ok;
    CUdevResource all = {};
    if (auto ok = d_.Check(d_.get_resource(gpu_, &all, CU_DEV_RESOURCE_TYPE_SM), "its SMs"); !ok) {
      return ok;
    }
    const SmUnits units{static_cast<int>(all.sm.smCount),
                        static_cast<int>(all.sm.minSmPartitionSize),
                        static_cast<int>(all.sm.smCoscheduledAlignment)};
    const auto plan = PlanSms(units, ranks, communication_sms);
    if (!plan) return Fail(plan.error());
    plan_ = *plan;
    return Divide(all);
  }

  const SmPlan& plan() const override { return plan_; }
  cudaStream_t compute(int rank) const override { return compute_[static_cast<size_t>(rank)]; }
  cudaStream_t communication(int rank) const override {
    return communication_[static_cast<size_t>(rank)];
  }

 private:
  Status Divide(const CUdevResource& all) {
    const auto wanted = static_cast<unsigned>(plan_.units());
    std::vector<CUdevResource> units(wanted);
    unsigned count = wanted;
    const CUresult split =
        d_.split(units.data(), &count, &all, nullptr, 0, static_cast<unsigned>(plan_.unit));
    if (auto ok = d_.Check(split, "dividing its SMs"); !ok) return ok;
    if (count < wanted) {
      return Fail("green contexts: the GPU's SMs make " + std::to_string(count) + " units of " +
                  std::to_string(plan_.unit) + ": expected " + std::to_string(wanted));
    }
    CUdevResource* next = units.data();
    for (int rank = 0; rank < plan_.ranks; ++rank) {
      const auto compute = AddContext(next, plan_.compute_units);
      if (!compute) return Fail(compute.error());
      const bool shared = plan_.communication_units == 0;
      const auto communication = shared ? compute : AddContext(next, plan_.communication_units);
      if (!communication) return Fail(communication.error());
      if (auto ok = AddStream(*compute, compute_); !ok) return ok;
      if (auto ok = AddStream(*communication, communication_); !ok) return ok;
    }
    return {};
  }

  // On the next `count` units.
  Result<CUgreenCtx> AddContext(CUdevResource*& next, int count) {
    CUdevResourceDesc description = nullptr;
    const auto number = static_cast<unsigned>(count);
    if (auto ok = d_.Check(d_.describe(&description, next, number), "describing SMs"); !ok) {
      return Fail(ok.error());
    }
    next += count;
    CUgreenCtx context = nullptr;
    const CUresult made = d_.create(&context, description, gpu_, CU_GREEN_CTX_DEFAULT_STREAM);
    if (auto ok = d_.Check(made, "a context"); !ok) return Fail(ok.error());
    contexts_.push_back(context);
    return context;
  }

  Status AddStream(CUgreenCtx context, std::vector<CUstream>& to) {
    CUstream stream = nullptr;
    const CUresult made = d_.create_stream(&stream, context, CU_STREAM_NON_BLOCKING, 0);
    if (auto ok = d_.Check(made, "a stream"); !ok) return ok;
    to.push_back(stream);
    return {};
  }

  const Driver d_;
  const int gpu_;
  SmPlan plan_;
  std::vector<CUgreenCtx> contexts_;
  std::vector<CUstream> compute_, communication_;  // [rank]
};

}  // namespace

Result<std::unique_ptr<GreenContexts>> MakeGreenContexts(int gpu, int ranks,
                                                         int communication_sms) {
  const auto driver = LoadDriver();
  if (!driver) return Fail(driver.error());
  auto contexts = std::make_unique<Contexts>(*driver, gpu);
  if (auto ok = contexts->Start(ranks, communication_sms); !ok) return Fail(ok.error());
  return std::unique_ptr<GreenContexts>(std::move(contexts));
}

}  // namespace pipescope::transformer::device
