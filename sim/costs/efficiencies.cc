#include "sim/costs/efficiencies.h"

#include <fmt/format.h>

namespace pipescope::costs {
namespace {

constexpr const char* kDeepGemm =
    "DeepGEMM's table for H800 (repository README, 2025-02): rows 4096x7168x16384 and "
    "4096x7168x2048 solved for the two constants; the other dense rows follow within 5 %";
constexpr const char* kTrace =
    "deepseek-ai/profile-data, training trace on H800, EP64: measured kernels at 112 SMs";

// Whether the value is the default decides what the source says.
template <class T>
std::string Source(const T& value, const T& fallback, const char* source) {
  return value == fallback ? source : "set by the experiment";
}

}  // namespace

Efficiencies ReadEfficiencies(Fields f) {
  Efficiencies e;
  e.gemm_main_loop = f.Number("gemm_main_loop", 0.01, 1, e.gemm_main_loop);
  e.weight_grad_main_loop = f.Number("weight_grad_main_loop", 0.01, 1, e.weight_grad_main_loop);
  e.tile_overhead = f.GetDuration("tile_overhead", e.tile_overhead);
  e.attention_forward = f.Number("attention_forward", 0.01, 1, e.attention_forward);
  e.attention_backward = f.Number("attention_backward", 0.01, 1, e.attention_backward);
  e.memory = f.Number("memory", 0.01, 1, e.memory);
  e.cast = f.Number("cast", 0.01, 1, e.cast);
  e.norm = f.Number("norm", 0.01, 1, e.norm);
  e.norm_second_wave = f.Number("norm_second_wave", 1, 10, e.norm_second_wave);
  e.small_kernel = f.GetDuration("small_kernel", e.small_kernel);
  e.kernel_gap = f.GetDuration("kernel_gap", e.kernel_gap);
  e.network = f.Number("network", 0.01, 1, e.network);
  e.sm_copy = f.GetBandwidth("sm_copy", e.sm_copy);
  if (e.sm_copy.value() <= 0) f.Note("sm_copy", "expected a bandwidth above zero");
  e.memory_beside = f.Number("memory_beside", 1, 10, e.memory_beside);
  e.communication_beside = f.Number("communication_beside", 1, 10, e.communication_beside);
  e.rank_spread = f.Number("rank_spread", 0, 10, e.rank_spread);
  return e;
}

std::string YamlOf(const Efficiencies& e) {
  const auto time = [](Duration d) { return fmt::format("{} ps", d.picoseconds()); };
  return fmt::format(
      "gemm_main_loop: {}, weight_grad_main_loop: {}, tile_overhead: {}, attention_forward: {}, "
      "attention_backward: {}, memory: {}, cast: {}, norm: {}, norm_second_wave: {}, "
      "small_kernel: {}, kernel_gap: {}, network: {}, sm_copy: {} B/s, memory_beside: {}, "
      "communication_beside: {}, rank_spread: {}",
      e.gemm_main_loop, e.weight_grad_main_loop, time(e.tile_overhead), e.attention_forward,
      e.attention_backward, e.memory, e.cast, e.norm, e.norm_second_wave, time(e.small_kernel),
      time(e.kernel_gap), e.network, e.sm_copy.value(), e.memory_beside, e.communication_beside,
      e.rank_spread);
}

namespace {

std::string Share(double x) { return FormatPercent(x); }

// GEMMs and attention.
std::vector<Assumption> OfMatrixKernels(const Efficiencies& e) {
  const Efficiencies d;
  return {
      {"GEMM main loop, share of matrix peak", Share(e.gemm_main_loop),
       Source(e.gemm_main_loop, d.gemm_main_loop, kDeepGemm)},
      {"GEMM tile overhead (128x128)", Format(e.tile_overhead),
       Source(e.tile_overhead, d.tile_overhead, kDeepGemm)},
      {"weight-gradient GEMM main loop", Share(e.weight_grad_main_loop),
       Source(
           e.weight_grad_main_loop, d.weight_grad_main_loop,
           "the same trace: o_proj's weight gradient, 64 waves of 128x128 tiles of depth 4096 in "
           "1507 us; the others of the attention follow within 5 %")},
      {"attention forward, share of BF16 peak", Share(e.attention_forward),
       Source(e.attention_forward, d.attention_forward, kTrace)},
      {"attention backward, share of BF16 peak", Share(e.attention_backward),
       Source(e.attention_backward, d.attention_backward, kTrace)},
  };
}

std::vector<Assumption> OfMemoryBoundKernels(const Efficiencies& e) {
  const Efficiencies d;
  return {
      {"HBM, share of nominal bandwidth", Share(e.memory),
       Source(e.memory, d.memory, "DeepGEMM's memory-bound row 64x7168x16384: 2668 GB/s of 3350")},
      {"casts to FP8, share of nominal bandwidth", Share(e.cast),
       Source(
           e.cast, d.cast,
           "the same trace: 4096x16384 BF16 values to FP8, 203 MB in 94 us with no communication "
           "beside")},
      {"norms, share of nominal bandwidth", Share(e.norm),
       Source(e.norm, d.norm,
              "the same trace: RMSNorm of 4096x7168 forward and backward, 352 MB in 174 us with no "
              "communication beside")},
      {"norms on fewer than all SMs", fmt::format("{:.2f} x the time", e.norm_second_wave),
       Source(e.norm_second_wave, d.norm_second_wave,
              "the same two norms beside a notify, which moves nothing but holds 20 SMs: 297 us; "
              "their grids fill all SMs once")},
      {"shortest kernel", Format(e.small_kernel),
       Source(e.small_kernel, d.small_kernel,
              "median of the trace's kernels on a few thousand values")},
      {"gap between kernels", Format(e.kernel_gap),
       Source(e.kernel_gap, d.kernel_gap, "median gap of the trace's compute stream")},
  };
}

// How fast it is, and what it costs computation beside it.
std::vector<Assumption> OfCommunication(const Efficiencies& e) {
  const Efficiencies d;
  return {
      {"NIC, share of nominal bandwidth", Share(e.network),
       Source(e.network, d.network,
              "arXiv 2505.09343, section 4.3: 40 GB/s effective of a 50 GB/s NIC")},
      {"copy rate of one communication SM", Format(e.sm_copy),
       Source(e.sm_copy, d.sm_copy,
              "derived: 20 SMs sustain IB 50 GB/s in and NVLink 160 GB/s out and in (arXiv "
              "2412.19437, section 3.2.2)")},
      {"memory-bound kernels beside communication",
       fmt::format("{:.2f} x the time", e.memory_beside),
       Source(
           e.memory_beside, d.memory_beside,
           "the same trace: casts, norms, rotary and flash attention's helpers take 1.02 to 1.20 "
           "times as long beside a dispatch or combine as beside a notify or alone, 1.13 in the "
           "mean, and dispatch and combine run for 62 % of the pair; GEMMs do not slow down")},
      {"dispatch and combine beside computation",
       fmt::format("{:.2f} x the time", e.communication_beside),
       Source(e.communication_beside, d.communication_beside,
              "the same trace: 16 of them take 80.5 ms beside computation, 56.6 ms at the rates "
              "that DeepEP reports for them alone")},
      {"spread of ranks between all-to-alls", Share(e.rank_spread),
       Source(
           e.rank_spread, d.rank_spread,
           "derived from the same trace: 16 notifies on one of 64 ranks wait 2.04 ms in the mean "
           "after 7.77 ms of computation each; its experts' rows alone spread by 7.7 %")},
  };
}

}  // namespace

std::vector<Assumption> Describe(const Efficiencies& e) {
  std::vector<Assumption> all;
  for (const std::vector<Assumption>& part :
       {OfMatrixKernels(e), OfMemoryBoundKernels(e), OfCommunication(e)}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace pipescope::costs
