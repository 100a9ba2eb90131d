#include <cuda_runtime.h>

#include <algorithm>
#include <string>

#include "kernels/train/cuda/attention_cuda.h"
#include "kernels/train/cuda/cuda_team.cuh"

namespace pipescope::kernels::cuda {
namespace {

constexpr int kWarps = 4;
constexpr int kRows = 16 * kWarps;
constexpr int kBlockThreads = 32 * kWarps;

// The last queries see most keys: they start first, so that none of them is left for the end.
template <int qk, int v>
__global__ void __launch_bounds__(kBlockThreads, 2)
    AttentionKernel(device::AttentionInput in, Bf16* out, float* log_sums) {
  extern __shared__ __align__(16) unsigned char memory[];
  auto& at = *reinterpret_cast<device::AttentionShared<kWarps, qk, v>*>(memory);
  CudaTeam<kWarps> team;
  const int64_t first = int64_t{gridDim.x - 1 - blockIdx.x} * kRows;
  device::AttentionForward(team, in, out, log_sums, at, blockIdx.y, first);
}

template <int qk, int v>
__global__ void __launch_bounds__(kBlockThreads, 2) QueryPassKernel(device::AttentionGradient g) {
  extern __shared__ __align__(16) unsigned char memory[];
  auto& at = *reinterpret_cast<device::QueryPassShared<kWarps, qk, v>*>(memory);
  CudaTeam<kWarps> team;
  const int64_t first = int64_t{gridDim.x - 1 - blockIdx.x} * kRows;
  device::AttentionQueryPass(team, g, at, blockIdx.y, first);
}

template <int qk, int v>
__global__ void __launch_bounds__(kBlockThreads, 2) KeyPassKernel(device::AttentionGradient g) {
  extern __shared__ __align__(16) unsigned char memory[];
  auto& at = *reinterpret_cast<device::KeyPassShared<kWarps, qk, v>*>(memory);
  CudaTeam<kWarps> team;
  device::AttentionKeyPass(team, g, at, blockIdx.y, int64_t{blockIdx.x} * kRows);
}

Status Right(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return {};
  return Fail(std::string(what) + ": " + cudaGetErrorString(error));
}

// A block of 16 bytes aligned shared memory as large as Shared.
template <class Shared, class Kernel, class... Arguments>
Status Launch(const char* what, Kernel* kernel, int64_t rows, int64_t heads, Stream stream,
              const Arguments&... arguments) {
  constexpr int kBytes = sizeof(Shared);
  const auto allowed =
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes);
  if (auto ok = Right(allowed, what); !ok) return ok;
  const dim3 blocks(static_cast<unsigned>((rows + kRows - 1) / kRows),
                    static_cast<unsigned>(heads));
  kernel<<<blocks, kBlockThreads, kBytes, static_cast<cudaStream_t>(stream)>>>(arguments...);
  return Right(cudaGetLastError(), what);
}

Status Checked(const device::AttentionSizes& s, AttentionWidth width) {
  if (!IsAttentionWidth(width)) {
    return Fail("attention: " + std::to_string(width.qk) + " and " + std::to_string(width.v) +
                " channels: expected 192 or 128, and 128");
  }
  const bool right = s.kv_heads > 0 && s.heads > 0 && s.heads % s.kv_heads == 0 &&
                     s.heads <= 65535 && s.queries > 0 && s.keys > 0 && s.window > 0 &&
                     (s.causal || s.window == INT64_MAX);
  return right ? Status()
               : Fail(
                     "attention: sizes: expected tokens, heads that key heads divide, "
                     "and a window only where causal");
}

template <int qk, int v>
Status Forward(const device::AttentionInput& in, Bf16* out, float* log_sums, Stream stream) {
  return Launch<device::AttentionShared<kWarps, qk, v>>("attention", AttentionKernel<qk, v>,
                                                        in.sizes.queries, in.sizes.heads, stream,
                                                        in, out, log_sums);
}

template <int qk, int v>
Status Backward(const device::AttentionGradient& g, Stream stream) {
  const device::AttentionSizes& s = g.in.sizes;
  const Status queries = Launch<device::QueryPassShared<kWarps, qk, v>>(
      "attention's gradient of queries", QueryPassKernel<qk, v>, s.queries, s.heads, stream, g);
  if (!queries) return queries;
  return Launch<device::KeyPassShared<kWarps, qk, v>>(
      "attention's gradient of keys", KeyPassKernel<qk, v>, s.keys, s.kv_heads, stream, g);
}

}  // namespace

Status Attention(const device::AttentionInput& in, AttentionWidth width, Bf16* out, float* log_sums,
                 Stream stream) {
  if (auto ok = Checked(in.sizes, width); !ok) return ok;
  return width.qk == 192 ? Forward<192, 128>(in, out, log_sums, stream)
                         : Forward<128, 128>(in, out, log_sums, stream);
}

Status AttentionInputGradient(const device::AttentionGradient& gradient, AttentionWidth width,
                              Stream stream) {
  if (auto ok = Checked(gradient.in.sizes, width); !ok) return ok;
  return width.qk == 192 ? Backward<192, 128>(gradient, stream)
                         : Backward<128, 128>(gradient, stream);
}

}  // namespace pipescope::kernels::cuda
