// Kernels by name, and the annotation that each belongs to.
#include <gtest/gtest.h>

#include "sim/trace/operation_class.h"
#include "sim/trace/phases.h"
#include "sim/trace/read.h"

namespace pipescope::trace {
namespace {

using Class = OperationClass;

TEST(ClassOfKernel, NamesOfLibraries) {
  const std::pair<const char*, Class> cases[] = {
      {"ncclDevKernel_AllReduce_Sum_bf16_RING_LL(ncclDevKernelArgsStorage<4096ul>)",
       Class::kAllReduce},
      {"ncclDevKernel_ReduceScatter_Sum_f32_RING_LL", Class::kReduceScatter},
      {"ncclDevKernel_AllGather_RING_LL", Class::kAllGather},
      {"ncclDevKernel_SendRecv(ncclDevKernelArgsStorage<4096ul>)", Class::kSendReceive},
      {"ncclKernel_Reduce_RING_LL_Sum_float", Class::kOtherCollective},
      {"void deep_ep::internode::combine<false, 8, __nv_bfloat16>(int4*)", Class::kCombine},
      {"void deep_ep::intranode::dispatch<8, 768>(int4*)", Class::kDispatch},
      {"void deep_ep::internode_ll::dispatch<true, 7168>(void*)", Class::kDispatch},
      {"void deep_ep::intranode::notify_dispatch<8>(int const*)", Class::kNotify},
      {"void deep_ep::internode::get_dispatch_layout<256, 32, 8>(long const*)", Class::kNotify},
      {"void cutlass::device_kernel<flash::FlashAttnBwd<flash::CollectiveMainloopBwd<2>>>",
       Class::kAttentionBackward},
      {"void flash::compute_attn_ws<Flash_fwd_kernel_traits<192>>()", Class::kAttentionForward},
      {"void x::grouped_gemm::cuda::utils::transpose<512>(unsigned char const*)", Class::kCast},
      {"void cutlass::device_kernel<x::grouped_gemm::cuda::fp8_ptp128c::GemmKernel>",
       Class::kFp8Gemm},
      {"nvjet_tst_128x256_64x4_2x1_v_bz_coopA_TNT", Class::kGemm},
      {"sm90_xmma_gemm_bf16f32_bf16f32_f32_nt_n_tilesize128x128x64", Class::kGemm},
      {"void at::native::vectorized_elementwise_kernel<4, at::native::FillFunctor<float>>",
       Class::kElementwise},
      {"void layer_norm::ln_fwd_kernel<layer_norm::Kernel_traits<float>>", Class::kNorm},
      {"", Class::kOther},
      {"something_new", Class::kOther},
  };
  for (const auto& [name, expected] : cases) {
    EXPECT_STREQ(Name(ClassOfKernel(name)), Name(expected)) << name;
  }
}

TEST(FindPhases, LaunchesFromOtherThreadsCount) {
  const auto trace = ReadTrace("tests/sim/trace/data/small_trace.json");
  ASSERT_TRUE(trace);
  const auto phases = FindPhases(*trace);
  ASSERT_TRUE(phases);
  for (size_t i = 0; i < trace->operations.size(); ++i) {
    const auto& op = trace->operations[i];
    ASSERT_GE((*phases)[i], 0);
    const auto& a = trace->annotations[static_cast<size_t>((*phases)[i])];
    const bool early = op.start < Microseconds(110);
    EXPECT_EQ(
        trace->names[static_cast<size_t>(a.name)],
        op.stream == 27 ? (early ? "combine(B)" : "dispatch(F)") : (early ? "attn(F)" : "mlp(B)"));
  }
}

TEST(FindPhases, TheInnermostOfTheThreadCounts) {
  Trace trace;
  trace.names = {"ProfilerStep#1", "step", "mlp(F)", "elsewhere"};
  trace.annotations = {{0, 0, Microseconds(0), Microseconds(100)},
                       {1, 0, Microseconds(1), Microseconds(50)},
                       {2, 0, Microseconds(2), Microseconds(10)},
                       {3, 1, Microseconds(3), Microseconds(10)}};
  trace.launches = {{10, 0, Microseconds(0.5)}, {11, 0, Microseconds(4)},
                    {12, 1, Microseconds(4)},   {13, 2, Microseconds(5)},
                    {14, 0, Microseconds(20)},  {15, 0, Microseconds(60)}};
  for (int64_t c = 10; c < 17; ++c) {
    trace.operations.emplace_back();
    trace.operations.back().correlation = c;
  }
  EXPECT_EQ(FindPhases(trace).value(), (std::vector<int32_t>{-1, 2, 3, 3, 1, -1, -1}));
  trace.annotations.assign(2000, {1, 0, Microseconds(0), Microseconds(50)});
  EXPECT_FALSE(FindPhases(trace));
}

}  // namespace
}  // namespace pipescope::trace
