#include "kernels/cuda/cublaslt.cuh"
#include "kernels/cuda/linear.h"
#include "kernels/train/bf16.h"

namespace pipescope::kernels::cuda {
namespace {

// Row by row [rows][columns] is column by column [columns][rows].
LtMatrix Turned(const GpuBytes& bytes, int64_t rows, int64_t columns,
                cudaDataType_t type = CUDA_R_16BF) {
  return {type, columns, rows, columns, bytes.as<void>()};
}

// c = a b row by row is c' = b' a' column by column: the library's first operand is our second.
LtProblem ProblemOf(const LinearCase& c, const GpuBytes& first, const GpuBytes& second,
                    const GpuBytes& result) {
  LtProblem p;
  if (c.pass == LinearPass::kForward) {
    p.a = Turned(second, c.out, c.in);
    p.b = Turned(first, c.tokens, c.in);
    p.d = Turned(result, c.tokens, c.out);
  } else if (c.pass == LinearPass::kInputGrad) {
    p.turn_a = false;
    p.a = Turned(second, c.out, c.in);
    p.b = Turned(first, c.tokens, c.out);
    p.d = Turned(result, c.tokens, c.in);
  } else {
    p.turn_a = false;
    p.turn_b = true;
    p.a = Turned(second, c.tokens, c.in);
    p.b = Turned(first, c.tokens, c.out);
    p.d = Turned(result, c.out, c.in, CUDA_R_32F);
  }
  return p;
}

class LinearWork : public Work {
 public:
  Status Start(const LinearCase& c) {
    const int64_t each = c.pass == LinearPass::kWeightGrad ? 4 : 2;
    if (auto ok = first_.Reset(0, 2 * c.first(), 0); !ok) return ok;
    if (auto ok = second_.Reset(0, 2 * c.second(), 0); !ok) return ok;
    if (auto ok = result_.Reset(0, each * c.result(), kPoison); !ok) return ok;
    auto launch = PrepareLt(ProblemOf(c, first_, second_, result_), workspace_);
    if (!launch) return Fail(launch.error());
    launch_ = std::move(*launch);
    return {};
  }
  Status FillRandom(const LinearCase& c) {
    if (auto ok = FillBf16(first_, c.first()); !ok) return ok;
    return FillBf16(second_, c.second());
  }
  Status Put(std::span<const uint16_t> first, std::span<const uint16_t> second) {
    const auto put = [](const GpuBytes& to, std::span<const uint16_t> from) {
      return Cuda(cudaMemcpy(to.as<void>(), from.data(), from.size_bytes(), cudaMemcpyDefault),
                  "a copy to the device");
    };
    if (auto ok = put(first_, first); !ok) return ok;
    return put(second_, second);
  }
  const GpuBytes& result() const { return result_; }
  Status Run(void* stream) override { return launch_->Run(static_cast<cudaStream_t>(stream)); }
  int sms() const override { return launch_->sms(); }

 private:
  GpuBytes first_, second_, result_, workspace_;
  std::unique_ptr<GemmLaunch> launch_;
};

}  // namespace

Result<std::vector<float>> LinearOnGpu(const LinearCase& c, std::span<const uint16_t> first,
                                       std::span<const uint16_t> second) {
  if (auto ok = CheckCase(c); !ok) return Fail(ok.error());
  LinearWork work;
  if (auto ok = work.Start(c); !ok) return Fail(ok.error());
  if (auto ok = work.Put(first, second); !ok) return Fail(ok.error());
  if (auto ok = work.Run(nullptr); !ok) return Fail(ok.error());
  if (auto ok = Cuda(cudaDeviceSynchronize(), "a linear layer"); !ok) return Fail(ok.error());
  std::vector<float> out(static_cast<size_t>(c.result()));
  if (c.pass == LinearPass::kWeightGrad) {
    if (auto ok = work.result().Get(&out); !ok) return Fail(ok.error());
    return out;
  }
  std::vector<uint16_t> codes(out.size());
  if (auto ok = work.result().Get(&codes); !ok) return Fail(ok.error());
  for (size_t i = 0; i < out.size(); ++i) out[i] = DecodeBf16(codes[i]);
  return out;
}

PreparedWork PrepareLinear(const LinearCase& c) {
  if (auto ok = CheckCase(c); !ok) return Fail(ok.error());
  auto work = std::make_unique<LinearWork>();
  if (auto ok = work->Start(c); !ok) return Fail(ok.error());
  if (auto ok = work->FillRandom(c); !ok) return Fail(ok.error());
  return work;
}

}  // namespace pipescope::kernels::cuda
