#include <cuda_bf16.h>

#include "kernels/cuda/gemm.h"
#include "kernels/cuda/gemm_launch.cuh"
#include "kernels/train/bf16.h"

namespace pipescope::kernels::cuda {
namespace {

// cuBLASLt wants each row of block scales to begin at a multiple of four.
std::vector<float> PaddedToFour(const Quantized& blocks) {
  const int64_t groups = blocks.column_groups(), rows = GroupsOf(blocks.rows);
  std::vector<float> scales;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t g = 0; g < (groups + 3) / 4 * 4; ++g) {
      scales.push_back(g < groups ? blocks.scale(r * 128, g * 128) : 0);
    }
  }
  return scales;
}

Result<std::unique_ptr<GemmLaunch>> Prepare(const GemmCase& c, GemmMemory& memory) {
  return c.backend == Backend::kOurs ? PrepareOurs(c, memory) : PrepareCublasLt(c, memory);
}

Status PutInputs(const GemmCase& c, const GemmInputs& in, GemmMemory& memory) {
  const bool library = c.backend == Backend::kCublasLt;
  if (auto ok = memory.a.Put(0, in.a.codes); !ok) return ok;
  if (auto ok = memory.b.Put(0, in.b.codes); !ok) return ok;
  if (auto ok = memory.a_scales.Put(0, RowsFastest(in.a)); !ok) return ok;
  return memory.b_scales.Put(0, c.fp32()  ? RowsFastest(in.b)
                                : library ? PaddedToFour(in.b)
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

}  // namespace

Result<std::vector<float>> GemmOnGpu(const GemmCase& c, const GemmInputs& inputs) {
  if (auto ok = CheckCase(c); !ok) return Fail(ok.error());
  if (c.backend == Backend::kCublasLt && (c.m % 128 != 0 || (c.fp32() && c.n % 128 != 0))) {
    return Fail("cuBLASLt: checked at whole tiles only: its scales have no padding");
  }
  GemmMemory memory;
  if (auto ok = PutInputs(c, inputs, memory); !ok) return Fail(ok.error());
  if (auto ok = memory.Poison(c); !ok) return Fail(ok.error());
  const auto launch = Prepare(c, memory);
  if (!launch) return Fail(launch.error());
  if (auto ok = (*launch)->Run(nullptr); !ok) return Fail(ok.error());
  if (auto ok = Cuda(cudaDeviceSynchronize(), "a GEMM"); !ok) return Fail(ok.error());
  return GetResult(c, memory);
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

Result<GpuTimes> TimeGemmOnGpu(const GemmCase& c) {
  GemmMemory memory;
  const auto launch = PrepareRandom(c, memory);
  if (!launch) return Fail(launch.error());
  return TimeOnGpu((*launch)->sms(), [&] { return (*launch)->Run(nullptr); });
}

}  // namespace pipescope::kernels::cuda
