// The block-scaled FP8 GEMM on the GPU, kernels/fp8/gemm.h's definition with promotion every 128.
//
//   dense      c [m][n] = a [m][k] b [n][k]'
//   grouped m  the rows of a are sorted by group, each group's begin at a multiple of 128; rows of
//              group g meet b's rows [g n, (g + 1) n). Experts, forward and input gradient
//   grouped k  c [groups][m][n]: the columns of a and b are sorted by group, each group's begin at
//              a multiple of 128. Experts, weight gradient; a group without columns gives zeros
//
// a has tiles of 1 x 128. b has blocks of 128 x 128 (forward, input gradient; c is BF16) or tiles
// (weight gradient; c is FP32). Scales lie as quantize.h says; b's blocks are [n / 128][k / 128] of
// each group. `k` is a multiple of 16 and the leading dimension of a and b; grouped along k it is
// the sum over all groups.
//
// Backends: ours (TMA, wgmma, warp-specialised, persistent) and cuBLASLt's block scaling, which has
// no groups. Which is the faster is measured shape by shape (kernels bench).
//
// Example: gate and up projection of DeepSeek-V3's experts at EP64: 4 groups of 8192 rows, n 4096,
// k 7168: 1.92 TFLOP.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cuda/gpu.h"
#include "kernels/fp8/quantize.h"

namespace pipescope::kernels::cuda {

inline constexpr int64_t kTile = 128;  // rows of a tile, and the alignment of groups

enum class Groups { kNone, kRows, kDepth };
enum class Backend { kOurs, kCublasLt };
const char* NameOf(Backend backend);

struct GemmCase {
  Groups groups = Groups::kNone;
  int64_t m = 0, n = 0, k = 0;
  Grouping b_grouping = Grouping::kBlocks;
  // Where each group begins, and the end: multiples of kTile; empty without groups. Rows of a
  // group behind its own and before the next one's begin are padding that is computed too.
  std::vector<int64_t> offsets = {};
  int sms = 0;  // 0: all
  Backend backend = Backend::kOurs;

  int64_t count() const {
    return groups == Groups::kNone ? 1 : static_cast<int64_t>(offsets.size()) - 1;
  }
  bool fp32() const { return b_grouping == Grouping::kTiles; }
  Flops flops() const;
  Bytes bytes() const;
};
Status CheckCase(const GemmCase& c);

struct GemmInputs {
  Quantized a;
  Quantized b;  // rows [count() n] where grouped along m
};
// The truth by the CPU, in c's layout.
std::vector<double> GemmTruth(const GemmCase& c, const GemmInputs& inputs);

// c, poisoned before.
Result<std::vector<float>> GemmOnGpu(const GemmCase& c, const GemmInputs& inputs);

}  // namespace pipescope::kernels::cuda
