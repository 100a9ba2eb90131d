#include <memory>

#include "kernels/bench/cuda_ops.h"
#include "kernels/cuda/gpu.h"

namespace pipescope::kernels::bench {
namespace {

Result<std::vector<Duration>> EachOf(const Result<cuda::GpuTimes>& times) {
  if (!times) return Fail(times.error());
  return times->each;
}

}  // namespace

Result<Trial> OnGpu(cuda::PreparedWork prepared, Flops flops, Bytes bytes) {
  if (!prepared) return Fail(prepared.error());
  const std::shared_ptr<cuda::Work> work = *std::move(prepared);
  const auto time = [work](const Runs&) { return EachOf(TimeOnGpu(*work)); };
  return Trial{time, {}, flops, bytes, work->sms()};
}

TimeRuns CopyOnGpu(Bytes bytes) {
  return [bytes](const Runs&) { return EachOf(cuda::TimeCopyOnGpu(bytes)); };
}

Result<Trial> BesideCopyOnGpu(Result<Trial> trial) {
  if (trial) trial->baseline = CopyOnGpu(trial->bytes);
  return trial;
}

}  // namespace pipescope::kernels::bench
