#include <cuda_bf16.h>

#include "kernels/cuda/gemm.h"
#include "kernels/cuda/gemm_launch.cuh"
#include "kernels/cuda/library_scales.h"
#include "kernels/cuda/work.h"
#include "kernels/train/bf16.h"

namespace pipescope::kernels::cuda {
namespace {

Result<std::unique_ptr<GemmLaunch>> Prepare(const GemmCase& c, GemmMemory& memory) {
  return c.backend == Backend::kOurs ? PrepareOurs(c, memory) : PrepareCublasLt(c, memory);
}

Status PutInputs(const GemmCase& c, const GemmInputs& in, GemmMemory& memory) {
  const bool library = c.backend == Backend::kCublasLt;
  if (auto ok = memory.a.Put(0, in.a.codes); !ok) return ok;
  if (auto ok = memory.b.Put(0, in.b.codes); !ok) return ok;
  const auto of_a = library ? LibraryScales(in.a) : RowsFastest(in.a);
  if (auto ok = memory.a_scales.Put(0, of_a); !ok) return ok;
  return memory.b_scales.Put(0, library    ? LibraryScales(in.b)
                                : c.fp32() ? RowsFastest(in.b)
                                           : in.b.scales);
}

Result<std::vector<float>> GetResult(const GemmCase& c, const GemmMemory& memory) {
  std::vector<float> out(static_cast<size_t>(GemmMemory::CountOfC(c)));
  if (c.fp32()) {
    if (auto ok = memory.c.Get(&out); !ok) return Fail(ok.error());
    return out;
  }
  std::vector<uint16_t> codes(out.size());
  if (auto ok = memory.c.Get(&codes); !ok) return Fail(ok.error());
  for (size_t i = 0; i < out.size(); ++i) out[i] = DecodeBf16(codes[i]);
  return out;
}

Result<std::unique_ptr<GemmLaunch>> PrepareRandom(const GemmCase& c, GemmMemory& memory) {
  if (auto ok = CheckCase(c); !ok) return Fail(ok.error());
  const int64_t of_a = c.m * c.k, of_b = GemmMemory::RowsOfB(c) * c.k;
  const int64_t scales_a = GroupsOf(c.k) * ScaleStride(c.m);
  // A library's padding of each row of blocks to four.
  const int64_t scales_b = GemmMemory::CountOfBScales(c) + 4 * GroupsOf(GemmMemory::RowsOfB(c));
  if (auto ok = memory.a.Reset(0, of_a, 0); !ok) return Fail(ok.error());
  if (auto ok = memory.b.Reset(0, of_b, 0); !ok) return Fail(ok.error());
  if (auto ok = memory.a_scales.Reset(0, 4 * scales_a, 0); !ok) return Fail(ok.error());
  if (auto ok = memory.b_scales.Reset(0, 4 * scales_b, 0); !ok) return Fail(ok.error());
  if (auto ok = FillCodes(memory.a, of_a); !ok) return Fail(ok.error());
  if (auto ok = FillCodes(memory.b, of_b); !ok) return Fail(ok.error());
  if (auto ok = FillScales(memory.a_scales, scales_a); !ok) return Fail(ok.error());
  if (auto ok = FillScales(memory.b_scales, scales_b); !ok) return Fail(ok.error());
  if (auto ok = memory.Poison(c); !ok) return Fail(ok.error());
  return Prepare(c, memory);
}

class GemmWork : public Work {
 public:
  Status Start(const GemmCase& c) {
    auto launch = PrepareRandom(c, memory_);
    if (!launch) return Fail(launch.error());
    launch_ = std::move(*launch);
    return {};
  }
  Status Run(void* stream) override { return launch_->Run(static_cast<cudaStream_t>(stream)); }
  int sms() const override { return launch_->sms(); }

 private:
  GemmMemory memory_;
  std::unique_ptr<GemmLaunch> launch_;
};

}  // namespace

Result<std::vector<float>> GemmOnGpu(const GemmCase& c, const GemmInputs& inputs) {
  if (auto ok = CheckCase(c); !ok) return Fail(ok.error());
  GemmMemory memory;
  if (auto ok = PutInputs(c, inputs, memory); !ok) return Fail(ok.error());
  if (auto ok = memory.Poison(c); !ok) return Fail(ok.error());
  const auto launch = Prepare(c, memory);
  if (!launch) return Fail(launch.error());
  if (auto ok = (*launch)->Run(nullptr); !ok) return Fail(ok.error());
  if (auto ok = Cuda(cudaDeviceSynchronize(), "a GEMM"); !ok) return Fail(ok.error());
  return GetResult(c, memory);
}

PreparedWork PrepareGemm(const GemmCase& c) {
  auto work = std::make_unique<GemmWork>();
  if (auto ok = work->Start(c); !ok) return Fail(ok.error());
  return work;
}

}  // namespace pipescope::kernels::cuda
