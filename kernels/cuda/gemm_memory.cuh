// A GEMM's operands and result on the device, for both backends.
#pragma once

#include "kernels/cuda/gemm.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/quantize.h"

namespace pipescope::kernels::cuda {

inline int64_t GroupsOf(int64_t size) { return (size + 127) / 128; }

struct GemmMemory {
  GpuBytes a, b, a_scales, b_scales, c, offsets, workspace;

  static int64_t RowsOfB(const GemmCase& g) {
    return g.groups == Groups::kRows ? g.count() * g.n : g.n;
  }
  static int64_t CountOfC(const GemmCase& g) {
    return (g.groups == Groups::kDepth ? g.count() : 1) * g.m * g.n;
  }
  static int64_t CountOfBScales(const GemmCase& g) {
    const int64_t groups = GroupsOf(g.k);
    return groups * (g.fp32() ? ScaleStride(g.n) : GroupsOf(RowsOfB(g)));
  }
  Status PutOffsets(const GemmCase& g) {
    std::vector<int32_t> starts;
    for (const int64_t o : g.offsets) starts.push_back(static_cast<int32_t>(o));
    return offsets.Put(0, starts);
  }
  Status Poison(const GemmCase& g) { return c.Reset(0, CountOfC(g) * (g.fp32() ? 4 : 2), kPoison); }
};

}  // namespace pipescope::kernels::cuda
