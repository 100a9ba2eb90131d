#include "kernels/bench/machine.h"

#include "kernels/bench/cpu_ops.h"
#include "kernels/bench/cpu_timer.h"
#include "kernels/bench/cuda_ops.h"
#include "kernels/cuda/gpu.h"
#include "kernels/device.h"

namespace pipescope::kernels::bench {
namespace {

void Append(std::vector<Op>& all, std::vector<Op> more) {
  for (Op& op : more) all.push_back(std::move(op));
}

std::vector<Op> CpuOps() {
  std::vector<Op> ops;
  Append(ops, CpuFp8Ops());
  Append(ops, CpuTrainOps());
  Append(ops, CpuEndOps());
  Append(ops, CpuExchangeOps());
  Append(ops, CpuFastOps());
  Append(ops, CpuBlasOps());
  return ops;
}

std::vector<Op> CudaOps() {
  std::vector<Op> ops;
  Append(ops, CudaQuantizeOps());
  Append(ops, CudaGemmOps());
  Append(ops, CudaExchangeOps());
  Append(ops, CudaTrainOps());
  Append(ops, CudaLinearOps());
  return ops;
}

Result<Machine> OpenGpu() {
  const DeviceInfo info = QueryDevice();
  if (!info.usable) return Fail("--device cuda: " + info.note);
  if (info.compute_major != 9) {
    return Fail("--device cuda: " + info.name + ": expected a Hopper GPU (compute capability 9.0)");
  }
  Machine machine = {Device::kCuda, info.name, info.sms, {}, CudaOps()};
  machine.facts["cuda runtime"] = std::to_string(info.runtime_version);
  machine.facts["cuda driver"] = std::to_string(info.driver_version);
  machine.facts["memory bytes"] = std::to_string(info.memory_bytes);
  const auto library = cuda::CublasLtVersion();
  machine.facts["cuBLASLt"] = library ? *library : library.error().ToString();
  return machine;
}

}  // namespace

std::vector<Op> AllOps() {
  std::vector<Op> ops = CpuOps();
  Append(ops, CudaOps());
  return ops;
}

Result<Machine> OpenMachine(Device device) {
  if (device == Device::kCuda) return OpenGpu();
  return Machine{Device::kCpu, CpuName(), 0, {}, CpuOps()};
}

Result<Peaks> MeasurePeaks(Device device) {
  if (device == Device::kCpu) return MeasureCpuPeaks();
  const auto peaks = cuda::MeasureGpuPeaks();
  if (!peaks) return Fail(peaks.error());
  return Peaks{peaks->copy, peaks->matrix,
               "a copy of 1 GiB; E4M3 wgmma on operands in shared memory"};
}

}  // namespace pipescope::kernels::bench
