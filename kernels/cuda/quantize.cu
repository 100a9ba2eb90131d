#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/quantize.h"
#include "kernels/cuda/quantize_kernels.cuh"
#include "kernels/cuda/work.h"
#include "kernels/train/rms_norm.h"

namespace pipescope::kernels::cuda {
namespace {

constexpr int kBlocksPerSm = 8;  // of 256 threads: all that fit

// The result's shape.
int64_t ResultRows(const QuantizeCase& c) { return c.transposed ? c.columns : c.rows; }
int64_t ResultColumns(const QuantizeCase& c) { return c.transposed ? c.rows : c.columns; }
int64_t Groups(int64_t size) { return (size + 127) / 128; }

int64_t ScaleCount(const QuantizeCase& c) {
  const int64_t groups = Groups(ResultColumns(c));
  return groups *
         (c.grouping == Grouping::kTiles ? ScaleStride(ResultRows(c)) : Groups(ResultRows(c)));
}

template <ScaleKind kind>
void LaunchKind(const QuantizeCase& c, const QuantizeArguments& a, int sms, cudaStream_t stream) {
  const dim3 squares(static_cast<unsigned>(Groups(c.columns)),
                     static_cast<unsigned>(Groups(c.rows)));
  const auto blocks = static_cast<unsigned>(sms * kBlocksPerSm);
  if (c.source == Source::kRmsNorm) {
    const auto threads = static_cast<unsigned>((c.columns / kValues + 31) / 32 * 32);
    const auto rows = static_cast<unsigned>(sms) * (2048 / threads);
    RmsNormKernel<kind><<<rows, threads, 0, stream>>>(a, static_cast<float>(kRmsNormEpsilon));
  } else if (c.source == Source::kSwiGlu) {
    TilesKernel<Source::kSwiGlu, kind><<<blocks, 256, 0, stream>>>(a);
  } else if (c.transposed && c.grouping == Grouping::kTiles) {
    TransposedKernel<Grouping::kTiles, kind><<<squares, kBlockThreads, 0, stream>>>(a);
  } else if (c.transposed) {
    TransposedKernel<Grouping::kBlocks, kind><<<squares, kBlockThreads, 0, stream>>>(a);
  } else if (c.grouping == Grouping::kBlocks) {
    BlocksKernel<kind><<<squares, kBlockThreads, 0, stream>>>(a);
  } else {
    TilesKernel<Source::kPlain, kind><<<blocks, 256, 0, stream>>>(a);
  }
}

Status Launch(const QuantizeCase& c, const QuantizeArguments& a, int sms, cudaStream_t stream) {
  if (c.kind == ScaleKind::kFloat) {
    LaunchKind<ScaleKind::kFloat>(c, a, sms, stream);
  } else {
    LaunchKind<ScaleKind::kPowerOfTwo>(c, a, sms, stream);
  }
  return Cuda(cudaGetLastError(), "a quantiser's launch");
}

struct Memory {
  GpuBytes x, weight, codes, scales;

  Status Outputs(const QuantizeCase& c) {
    if (auto ok = codes.Reset(0, c.rows * c.columns, kPoison); !ok) return ok;
    return scales.Reset(0, 4 * ScaleCount(c), kPoison);
  }
  QuantizeArguments Arguments(const QuantizeCase& c) const {
    const int64_t stride =
        c.grouping == Grouping::kTiles ? ScaleStride(ResultRows(c)) : Groups(ResultColumns(c));
    return {x.as<uint16_t>(),
            weight.as<uint16_t>(),
            codes.as<uint8_t>(),
            scales.as<float>(),
            c.rows,
            c.columns,
            stride};
  }
};

class QuantizeWork : public Work {
 public:
  QuantizeWork(const QuantizeCase& c, int sms) : case_(c), sms_(sms) {}

  Status Start() {
    const int64_t values = case_.rows * case_.columns * (case_.source == Source::kSwiGlu ? 2 : 1);
    if (auto ok = memory_.x.Reset(0, 2 * values, 0); !ok) return ok;
    if (auto ok = memory_.weight.Reset(0, 2 * case_.columns, 0); !ok) return ok;
    if (auto ok = FillBf16(memory_.x, values); !ok) return ok;
    if (auto ok = FillBf16(memory_.weight, case_.columns); !ok) return ok;
    return memory_.Outputs(case_);
  }
  Status Run(void* stream) override {
    return Launch(case_, memory_.Arguments(case_), sms_, static_cast<cudaStream_t>(stream));
  }
  int sms() const override { return sms_; }

 private:
  const QuantizeCase case_;
  const int sms_;
  Memory memory_;
};

}  // namespace

Result<Quantized> QuantizeOnGpu(const QuantizeCase& c, std::span<const uint16_t> x,
                                std::span<const uint16_t> weight) {
  if (auto ok = CheckCase(c); !ok) return Fail(ok.error());
  const auto sms = SmsOfGpu();
  if (!sms) return Fail(sms.error());
  Memory memory;
  if (auto ok = memory.x.Put(0, std::vector<uint16_t>(x.begin(), x.end())); !ok) {
    return Fail(ok.error());
  }
  if (auto ok = memory.weight.Put(0, std::vector<uint16_t>(weight.begin(), weight.end())); !ok) {
    return Fail(ok.error());
  }
  if (auto ok = memory.Outputs(c); !ok) return Fail(ok.error());
  if (auto ok = Launch(c, memory.Arguments(c), *sms, nullptr); !ok) return Fail(ok.error());
  if (auto ok = Cuda(cudaDeviceSynchronize(), "a quantiser"); !ok) return Fail(ok.error());
  Quantized q = {ResultRows(c), ResultColumns(c), c.grouping, {}, {}};
  q.codes.resize(static_cast<size_t>(c.rows * c.columns));
  std::vector<float> scales(static_cast<size_t>(ScaleCount(c)));
  if (auto ok = memory.codes.Get(&q.codes); !ok) return Fail(ok.error());
  if (auto ok = memory.scales.Get(&scales); !ok) return Fail(ok.error());
  q.scales =
      c.grouping == Grouping::kTiles ? GroupsFastest(scales, q.rows, q.column_groups()) : scales;
  return q;
}

PreparedWork PrepareQuantize(const QuantizeCase& c) {
  if (auto ok = CheckCase(c); !ok) return Fail(ok.error());
  const auto sms = SmsOfGpu();
  if (!sms) return Fail(sms.error());
  auto work = std::make_unique<QuantizeWork>(c, *sms);
  if (auto ok = work->Start(); !ok) return Fail(ok.error());
  return work;
}

}  // namespace pipescope::kernels::cuda
