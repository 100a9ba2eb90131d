#include "kernels/cuda/interference.h"
#include "kernels/cuda/launch.cuh"

namespace pipescope::kernels::cuda {
namespace {

constexpr int kCopyThreads = 1024;
constexpr int kChunk = 64 * 1024;                // bytes of one entry in the count
constexpr int64_t kBuffer = int64_t{512} << 20;  // beyond L2
constexpr int kLaunches = 10;
constexpr unsigned long long kSpin = 4'000'000;  // cycles: about 2 ms

enum class Copying { kNo, kYes };

// Copies chunk after chunk, each block in its own part, until it is told to stop. Without copying
// it holds its SM and waits.
__global__ void __launch_bounds__(kCopyThreads, 1)
    CommunicationKernel(const uint4* from, uint4* to, unsigned long long* copied,
                        const volatile int* stop, Copying copying) {
  if (copying == Copying::kNo) {
    while (*stop == 0) __nanosleep(1000);
    return;
  }
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
// memory, so that other blocks, each of which needs some, find place on the other SMs only.
class Communication {
 public:
  Status Start(int sms, Copying copying) {
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
        from_.as<uint4>(), to_.as<uint4>(), copied_.as<unsigned long long>(), stop_.as<int>(),
        copying);
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

Status Repeat(Work& work, cudaStream_t stream) {
  for (int i = 0; i < kLaunches; ++i) {
    if (auto ok = work.Run(stream); !ok) return ok;
  }
  return {};
}

Duration TimeFor(const Measured& m, int64_t bytes) {
  if (m.copied <= 0) return Duration();
  return Seconds(m.time.seconds() * static_cast<double>(bytes) / static_cast<double>(m.copied));
}

// The work on the SMs that `sms` of communication leave it, which copy or stand still.
Result<Measured> Run(Work& work, int sms, Copying copying) {
  Communication communication;
  if (auto ok = communication.Start(sms, copying); !ok) return Fail(ok.error());
  return communication.During([&](cudaStream_t s) { return Repeat(work, s); });
}

Result<Measured> Alone(int communicating) {
  // Once before: a kernel that is not loaded yet may wait for all that runs, and communication
  // would never end.
  SpinKernel<<<1, 1>>>();
  if (auto ok = Cuda(cudaDeviceSynchronize(), "waiting"); !ok) return Fail(ok.error());
  Communication communication;
  if (auto ok = communication.Start(communicating, Copying::kYes); !ok) return Fail(ok.error());
  return communication.During([](cudaStream_t stream) {
    SpinKernel<<<1, 1, 0, stream>>>();
    return Cuda(cudaGetLastError(), "waiting");
  });
}

}  // namespace

Result<Interference> MeasureInterference(const Prepare& prepare, int sms) {
  const auto all = SmsOfGpu();
  if (!all) return Fail(all.error());
  if (sms < 0 || sms >= *all) return Fail("SMs of communication: expected fewer than there are");
  const auto work = prepare(*all - sms);
  if (!work) return Fail(work.error());
  if (auto ok = Repeat(**work, nullptr); !ok) return Fail(ok.error());  // loads it, and warms up
  if (auto ok = Cuda(cudaDeviceSynchronize(), "a kernel alone"); !ok) return Fail(ok.error());
  const auto copy = Alone(sms);
  if (!copy) return Fail(copy.error());
  const auto alone = Run(**work, sms, Copying::kNo), beside = Run(**work, sms, Copying::kYes);
  if (!alone) return Fail(alone.error());
  if (!beside) return Fail(beside.error());
  constexpr int64_t kGigabyte = 1'000'000'000;
  return Interference{sms,
                      *all - sms,
                      Duration(alone->time.picoseconds() / kLaunches),
                      Duration(beside->time.picoseconds() / kLaunches),
                      TimeFor(*copy, kGigabyte),
                      TimeFor(*beside, kGigabyte)};
}

}  // namespace pipescope::kernels::cuda
