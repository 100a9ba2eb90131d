#include <algorithm>

#include "kernels/cuda/hopper.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/work.h"

namespace pipescope::kernels::cuda {
namespace {

constexpr int kCopyThreads = 512;
constexpr int kDeep = 4;  // loads in flight a thread

__global__ void __launch_bounds__(kCopyThreads)
    CopyKernel(const uint4* from, uint4* to, int64_t count) {
  const int64_t step = int64_t{gridDim.x} * kCopyThreads;
  for (int64_t i = int64_t{blockIdx.x} * kCopyThreads + threadIdx.x; i < count; i += kDeep * step) {
    uint4 words[kDeep];
#pragma unroll
    for (int j = 0; j < kDeep; ++j) {
      if (i + j * step < count) words[j] = __ldcs(from + i + j * step);
    }
#pragma unroll
    for (int j = 0; j < kDeep; ++j) {
      if (i + j * step < count) __stcs(to + i + j * step, words[j]);
    }
  }
}

constexpr int kMatrixRounds = 4096;
constexpr int kMatrixWidth = 128;

// Nothing but wgmma, on bytes that the host did not choose to be zero.
__global__ void __launch_bounds__(256, 1) MatrixKernel(float* out) {
  extern __shared__ __align__(1024) uint8_t tiles[];  // two of a, one of b
  for (unsigned i = threadIdx.x; i < 3 * 128 * 128; i += blockDim.x) {
    tiles[i] = static_cast<uint8_t>((i * 2654435761U >> 13) & 0xb7);  // small, both signs
  }
  FenceForTma();
  __syncthreads();
  float sum[kMatrixWidth / 2] = {};
  const uint64_t a = Descriptor(tiles + threadIdx.x / 128 * 64 * 128);
  const uint64_t b = Descriptor(tiles + 2 * 128 * 128);
  for (int round = 0; round < kMatrixRounds; ++round) {
    WgmmaFence();
#pragma unroll
    for (int k = 0; k < 4; ++k) Wgmma<kMatrixWidth>(sum, a + 2 * k, b + 2 * k, true);
    WgmmaCommit();
    WgmmaWait();
  }
  float all = 0;
#pragma unroll
  for (const float s : sum) all += s;
  out[blockIdx.x * blockDim.x + threadIdx.x] = all;
}

enum class Fill { kCodes, kScales, kBf16 };

template <Fill fill, class T>
__global__ void FillKernel(T* to, int64_t count) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    uint64_t bits = static_cast<uint64_t>(i) * 0x9e3779b97f4a7c15U;
    bits = (bits ^ bits >> 31) * 0x2545f4914f6cdd1dU >> 32;
    // Signs and fractions are random; exponents spread over a few octaves below 1.
    if (fill == Fill::kCodes) to[i] = static_cast<T>((bits & 0x87) | (3 + (bits >> 8) % 5) << 3);
    if (fill == Fill::kBf16)
      to[i] = static_cast<T>((bits & 0x807f) | (123 + (bits >> 16) % 4) << 7);
    if (fill == Fill::kScales) to[i] = static_cast<T>(1 + static_cast<float>(bits & 255) / 256);
  }
}

template <Fill fill, class T>
Status FillWith(const GpuBytes& bytes, int64_t count) {
  FillKernel<fill><<<1024, 256>>>(bytes.as<T>(), count);
  return Cuda(cudaGetLastError(), "filling memory");
}

Duration LeastOf(const GpuTimes& times) {
  return *std::min_element(times.each.begin(), times.each.end());
}

Result<FlopRate> MatrixPeak(int sms) {
  constexpr int kBytes = 3 * 128 * 128;
  GpuBytes out;
  if (auto ok = out.Reset(0, int64_t{4} * sms * 256, 0); !ok) return Fail(ok.error());
  const cudaError_t status =
      cudaFuncSetAttribute(MatrixKernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes);
  if (auto ok = Cuda(status, "the matrix peak"); !ok) return Fail(ok.error());
  const auto times = TimeOnGpu(sms, [&] {
    MatrixKernel<<<static_cast<unsigned>(sms), 256, kBytes>>>(out.as<float>());
    return Cuda(cudaGetLastError(), "the matrix peak");
  });
  if (!times) return Fail(times.error());
  const double flops = 2.0 * 64 * kMatrixWidth * 128 * 2 * kMatrixRounds * sms;
  return Flops(flops) / LeastOf(*times);
}

}  // namespace

Status FillCodes(const GpuBytes& bytes, int64_t count) {
  return FillWith<Fill::kCodes, uint8_t>(bytes, count);
}
Status FillScales(const GpuBytes& bytes, int64_t count) {
  return FillWith<Fill::kScales, float>(bytes, count);
}
Status FillBf16(const GpuBytes& bytes, int64_t count) {
  return FillWith<Fill::kBf16, uint16_t>(bytes, count);
}

Result<GpuTimes> TimeOnGpu(Work& work) {
  return TimeOnGpu(work.sms(), [&] { return work.Run(nullptr); });
}

Result<GpuTimes> TimeCopyOnGpu(Bytes bytes) {
  const auto sms = SmsOfGpu();
  if (!sms) return Fail(sms.error());
  const int64_t count = std::max<int64_t>(1, bytes.value() / 2 / 16);
  GpuBytes from, to;
  if (auto ok = from.Reset(0, 16 * count, 1); !ok) return Fail(ok.error());
  if (auto ok = to.Reset(0, 16 * count, 0); !ok) return Fail(ok.error());
  return TimeOnGpu(*sms, [&] {
    CopyKernel<<<static_cast<unsigned>(*sms * 4), kCopyThreads>>>(from.as<uint4>(), to.as<uint4>(),
                                                                  count);
    return Cuda(cudaGetLastError(), "a copy");
  });
}

Result<GpuPeaks> MeasureGpuPeaks() {
  const Bytes both(int64_t{2} << 30);
  const auto copy = TimeCopyOnGpu(both);
  if (!copy) return Fail(copy.error());
  const auto matrix = MatrixPeak(copy->sms);
  if (!matrix) return Fail(matrix.error());
  return GpuPeaks{both / LeastOf(*copy), *matrix};
}

}  // namespace pipescope::kernels::cuda
