#include "kernels/cuda/gemm_launch.cuh"
#include "kernels/cuda/interference.h"

namespace pipescope::kernels::cuda {
namespace {

constexpr int kCopyThreads = 1024;
constexpr int kChunk = 64 * 1024;                // bytes of one entry in the count
constexpr int64_t kBuffer = int64_t{512} << 20;  // beyond L2
constexpr int kLaunches = 10;
constexpr unsigned long long kSpin = 4'000'000;  // cycles: about 2 ms

// Copies chunk after chunk, each block in its own part, until it is told to stop.
__global__ void __launch_bounds__(kCopyThreads, 1)
    CommunicationKernel(const uint4* from, uint4* to, unsigned long long* copied,
                        const volatile int* stop) {
  constexpr int kWords = kChunk / 16 / kCopyThreads;
  const int64_t chunks = kBuffer / kChunk / gridDim.x;
  for (int64_t i = 0;; i = (i + 1) % chunks) {
    const int64_t at = (blockIdx.x * chunks + i) * (kChunk / 16) + threadIdx.x;
    uint4 words[kWords];
#pragma unroll
    for (int j = 0; j < kWords; ++j) words[j] = __ldcs(from + at + j * kCopyThreads);
#pragma unroll
    for (int j = 0; j < kWords; ++j) __stcs(to + at + j * kCopyThreads, words[j]);
    if (threadIdx.x == 0) atomicAdd(copied, 2ULL * kChunk);
    if (__syncthreads_or(*stop != 0)) return;
  }
}

__global__ void SpinKernel() {
  const long long begin = clock64();
  while (static_cast<unsigned long long>(clock64() - begin) < kSpin) {
  }
}

struct Measured {
  Duration time;       // between the two counts
  int64_t copied = 0;  // bytes that communication moved then
};

// Communication on some SMs for as long as this lives. Its blocks take all of an SM's shared
// memory, so that a GEMM's blocks find place on the others only.
class Communication {
 public:
  Status Start(int sms) {
    sms_ = sms;
    for (GpuBytes* buffer : {&from_, &to_}) {
      if (auto ok = buffer->Reset(0, kBuffer, 1); !ok) return ok;
    }
    if (auto ok = copied_.Reset(0, 8, 0); !ok) return ok;
    if (auto ok = stop_.Reset(0, 4, 0); !ok) return ok;
    if (auto ok = Cuda(cudaDeviceSynchronize(), "buffers"); !ok) return ok;
    for (cudaStream_t* stream : {&stream_, &work_}) {
      const cudaError_t made = cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking);
      if (auto ok = Cuda(made, "a stream"); !ok) return ok;
    }
    if (auto ok = Cuda(cudaMallocHost(&counts_, 16), "pinned memory"); !ok) return ok;
    if (sms == 0) return {};
    constexpr int kAll = 227 * 1024;
    cudaFuncSetAttribute(CommunicationKernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kAll);
    CommunicationKernel<<<static_cast<unsigned>(sms), kCopyThreads, kAll, stream_>>>(
        from_.as<uint4>(), to_.as<uint4>(), copied_.as<unsigned long long>(), stop_.as<int>());
    return Cuda(cudaGetLastError(), "communication's launch");
  }

  // Runs `work` on another stream and counts at its begin and end.
  template <class Work>
  Result<Measured> During(const Work& work) {
    Event begin, end;
    cudaMemcpyAsync(counts_, copied_.as<void>(), 8, cudaMemcpyDeviceToHost, work_);
    cudaEventRecord(begin.get(), work_);
    if (auto ok = work(work_); !ok) return Fail(ok.error());
    cudaEventRecord(end.get(), work_);
    cudaMemcpyAsync(counts_ + 1, copied_.as<void>(), 8, cudaMemcpyDeviceToHost, work_);
    if (auto ok = Cuda(cudaStreamSynchronize(work_), "work beside communication"); !ok) {
      return Fail(ok.error());
    }
    float ms = 0;
    if (auto ok = Cuda(cudaEventElapsedTime(&ms, begin.get(), end.get()), "a time"); !ok) {
      return Fail(ok.error());
    }
    return Measured{Milliseconds(double{ms}), static_cast<int64_t>(counts_[1] - counts_[0])};
  }

  ~Communication() {
    const int one = 1;
    if (sms_ > 0 && work_ != nullptr) {
      cudaMemcpyAsync(stop_.as<void>(), &one, 4, cudaMemcpyHostToDevice, work_);
      cudaDeviceSynchronize();
    }
    for (cudaStream_t stream : {stream_, work_}) {
      if (stream != nullptr) cudaStreamDestroy(stream);
    }
    if (counts_ != nullptr) cudaFreeHost(counts_);
  }

 private:
  int sms_ = 0;
  GpuBytes from_, to_, copied_, stop_;
  cudaStream_t stream_ = nullptr;
  cudaStream_t work_ = nullptr;
  unsigned long long* counts_ = nullptr;
};

struct Kernel {
  const char* name;
  GemmCase gemm;
};

std::vector<Kernel> Kernels() {
  std::vector<Kernel> kernels = {
      {"fp8_gemm_forward", {.m = 4096, .n = 7168, .k = 16384}},
      {"fp8_gemm_forward", {.m = 4096, .n = 32768, .k = 512}},
      {"fp8_gemm_weight_grad", {.m = 4096, .n = 7168, .k = 4096, .b_grouping = Grouping::kTiles}},
      {"fp8_gemm_grouped",
       {.groups = Groups::kRows,
        .m = 32768,
        .n = 4096,
        .k = 7168,
        .offsets = {0, 8192, 16384, 24576, 32768}}},
  };
  return kernels;
}

Status Repeat(GemmLaunch& launch, cudaStream_t stream) {
  for (int i = 0; i < kLaunches; ++i) {
    if (auto ok = launch.Run(stream); !ok) return ok;
  }
  return {};
}

Duration TimeFor(const Measured& m, int64_t bytes) {
  if (m.copied <= 0) return Duration();
  return Seconds(m.time.seconds() * static_cast<double>(bytes) / static_cast<double>(m.copied));
}

// Times of one kernel on the SMs that communication on `sms` leaves; communication runs if `with`.
Result<Measured> Run(const Kernel& kernel, int free_sms, int communicating) {
  GemmCase c = kernel.gemm;
  c.sms = free_sms;
  GemmMemory memory;
  const auto launch = PrepareRandom(c, memory);
  if (!launch) return Fail(launch.error());
  if (auto ok = Repeat(**launch, nullptr); !ok) return Fail(ok.error());  // warms up
  Communication communication;
  if (auto ok = communication.Start(communicating); !ok) return Fail(ok.error());
  return communication.During([&](cudaStream_t s) { return Repeat(**launch, s); });
}

Result<Measured> Alone(int communicating) {
  // Once before: a kernel that is not loaded yet may wait for all that runs, and communication
  // would never end.
  SpinKernel<<<1, 1>>>();
  if (auto ok = Cuda(cudaDeviceSynchronize(), "waiting"); !ok) return Fail(ok.error());
  Communication communication;
  if (auto ok = communication.Start(communicating); !ok) return Fail(ok.error());
  return communication.During([](cudaStream_t stream) {
    SpinKernel<<<1, 1, 0, stream>>>();
    return Cuda(cudaGetLastError(), "waiting");
  });
}

}  // namespace

Result<std::vector<Interference>> MeasureInterference(const std::vector<int>& communication_sms) {
  constexpr int64_t kGigabyte = 1'000'000'000;
  const auto all = SmsOfGpu();
  if (!all) return Fail(all.error());
  std::vector<Interference> rows;
  for (const int sms : communication_sms) {
    if (sms < 0 || sms >= *all) return Fail("SMs of communication: expected fewer than there are");
    const auto copy = Alone(sms);
    if (!copy) return Fail(copy.error());
    for (const Kernel& kernel : Kernels()) {
      const auto alone = Run(kernel, *all - sms, 0), beside = Run(kernel, *all - sms, sms);
      if (!alone) return Fail(alone.error());
      if (!beside) return Fail(beside.error());
      rows.push_back({kernel.name, kernel.gemm.m, kernel.gemm.n, kernel.gemm.k, sms,
                      Duration(alone->time.picoseconds() / kLaunches),
                      Duration(beside->time.picoseconds() / kLaunches), TimeFor(*copy, kGigabyte),
                      TimeFor(*beside, kGigabyte)});
    }
  }
  return rows;
}

}  // namespace pipescope::kernels::cuda
