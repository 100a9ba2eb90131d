#include <map>
#include <tuple>

#include "kernels/cuda/cublaslt.cuh"
#include "kernels/cuda/linear.h"
#include "kernels/train/bf16.h"

namespace pipescope::kernels::cuda {
namespace {

// Row by row [rows][columns] is column by column [columns][rows].
LtMatrix Turned(void* data, int64_t rows, int64_t columns, cudaDataType_t type = CUDA_R_16BF) {
  return {type, columns, rows, columns, data};
}

// c = a b row by row is c' = b' a' column by column: the library's first operand is our second.
LtProblem ProblemOf(const LinearCase& c, void* first = nullptr, void* second = nullptr,
                    void* result = nullptr) {
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
    auto launch = PrepareLt(ProblemOf(c, first_.as<void>(), second_.as<void>(), result_.as<void>()),
                            workspace_);
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
  std::unique_ptr<LtGemm> launch_;
};

class OnStream : public LinearQueue {
 public:
  OnStream(const CublasLt& lt, int gpu, int sms) : lt_(lt), gpu_(gpu), sms_(sms) {}
  ~OnStream() override {
    prepared_.clear();
    if (handle_ != nullptr) lt_.destroy(handle_);
  }

  Status Start() {
    if (auto ok = Cuda(cudaSetDevice(gpu_), "a device"); !ok) return ok;
    if (lt_.create(&handle_) == CUBLAS_STATUS_SUCCESS) return {};
    return Fail("cuBLASLt: its handle");
  }

  Status Run(const LinearCase& c, const void* first, const void* second, void* result,
             void* stream) override {
    auto& gemm = prepared_[{c.pass, c.tokens, c.in, c.out}];
    if (gemm == nullptr) {
      LtProblem problem = ProblemOf(c);
      problem.sms = sms_;
      problem.gpu = gpu_;
      problem.handle = handle_;
      auto made = PrepareLt(problem, workspace_);
      if (!made) return Fail(made.error());
      gemm = std::move(*made);
    }
    const Status ran = gemm->RunOn(second, first, result, static_cast<cudaStream_t>(stream));
    // Experts' rows differ from one micro-batch to the next: shapes are many.
    if (prepared_.size() > kMostPrepared) prepared_.clear();
    return ran;
  }

 private:
  static constexpr size_t kMostPrepared = 4096;
  using Shape = std::tuple<LinearPass, int64_t, int64_t, int64_t>;

  const CublasLt& lt_;
  const int gpu_, sms_;
  cublasLtHandle_t handle_ = nullptr;
  GpuBytes workspace_;
  std::map<Shape, std::unique_ptr<LtGemm>> prepared_;
};

}  // namespace

Result<std::unique_ptr<LinearQueue>> LinearQueue::Make(int gpu, int sms) {
  const auto lt = LoadCublasLt();
  if (!lt) return Fail(lt.error());
  auto queue = std::make_unique<OnStream>(**lt, gpu, sms);
  if (auto ok = queue->Start(); !ok) return Fail(ok.error());
  return std::unique_ptr<LinearQueue>(std::move(queue));
}

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
