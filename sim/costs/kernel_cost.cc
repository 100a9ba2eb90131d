#include "sim/costs/kernel_cost.h"

#include <algorithm>
#include <cmath>

namespace pipescope::costs {
namespace {

constexpr int64_t kTile = 128;

double CeilDiv(int64_t a, int64_t b) { return static_cast<double>((a + b - 1) / b); }

double GemmSeconds(const model::Kernel& kernel, int sms, const topology::Gpu& gpu,
                   const Efficiencies& e) {
  const bool fp8 = kernel.precision == model::Precision::kFp8 && gpu.fp8.value() > 0;
  const double peak = (fp8 ? gpu.fp8 : gpu.bf16).value() / gpu.sms;
  const bool slow = fp8 && kernel.pass == model::Pass::kWeightGrad;
  const double main_loop = slow ? e.weight_grad_main_loop : e.gemm_main_loop;
  const double tiles =
      static_cast<double>(kernel.groups) * CeilDiv(kernel.m, kTile) * CeilDiv(kernel.n, kTile);
  const double waves = std::ceil(tiles / sms);
  const double tile_flops = 2.0 * kTile * kTile * static_cast<double>(kernel.k);
  return waves * (tile_flops / (peak * main_loop) + e.tile_overhead.seconds());
}

double AttentionSeconds(const model::Kernel& kernel, int sms, const topology::Gpu& gpu,
                        const Efficiencies& e) {
  const double share =
      kernel.pass == model::Pass::kForward ? e.attention_forward : e.attention_backward;
  return kernel.flops.value() / (gpu.bf16.value() * sms / gpu.sms * share);
}

double MemorySeconds(const model::Kernel& kernel, int sms, const topology::Gpu& gpu,
                     const Efficiencies& e) {
  const bool beside = sms < gpu.sms;
  const double seconds = static_cast<double>(kernel.bytes.value()) / gpu.memory_bandwidth.value() *
                         (beside ? e.memory_beside : 1);
  switch (kernel.traffic) {
    case model::Traffic::kStream:
      return seconds / e.memory;
    case model::Traffic::kCast:
      return seconds / e.cast;
    case model::Traffic::kNorm:
      return seconds / e.norm * (beside ? e.norm_second_wave : 1);
  }
  return seconds;
}

// Of a processor without SMs: neither tiles nor waves nor launches.
Duration RooflineTime(const model::Kernel& kernel, const topology::Gpu& gpu) {
  const bool fp8 = kernel.precision == model::Precision::kFp8 && gpu.fp8.value() > 0;
  const double peak = (fp8 ? gpu.fp8 : gpu.bf16).value();
  const double moved = static_cast<double>(kernel.bytes.value()) / gpu.memory_bandwidth.value();
  return Seconds(std::max(moved, kernel.flops.value() / peak));
}

}  // namespace

Duration KernelTime(const model::Kernel& kernel, int sms, const topology::Gpu& gpu,
                    const Efficiencies& e) {
  if (gpu.sms == 0) return RooflineTime(kernel, gpu);
  double seconds =
      std::max(MemorySeconds(kernel, sms, gpu, e), kernel.launches * e.small_kernel.seconds());
  if (kernel.kind == model::KernelKind::kGemm) {
    seconds = std::max(seconds, GemmSeconds(kernel, sms, gpu, e));
  } else if (kernel.kind == model::KernelKind::kAttention) {
    seconds = std::max(seconds, AttentionSeconds(kernel, sms, gpu, e));
  }
  return Seconds(seconds);
}

}  // namespace pipescope::costs
