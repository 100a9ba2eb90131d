// The GEMMs of one DeepSeek-V3 layer in training, 4096 tokens a GPU at EP64 with 4 experts a GPU,
// and balanced routing: 4096 x 8 rows for 4 experts.
//
//   n, k of c [m][n] = a [m][k] b [n][k]'; forward m = 4096. Input gradient: n and k change
//   places. Weight gradient: m = n, n = k, k = 4096 tokens.
//
// Sources: arXiv 2412.19437, section 4.2 (hidden 7168, 128 heads of 128 + 64, compression 1536 and
// 512, expert width 2048); DeepGEMM's published list of shapes has the same eight.
#pragma once

#include <cstdint>

namespace pipescope::kernels::bench {

struct Linear {
  const char* name;
  int64_t n, k;
};

inline constexpr int64_t kV3Tokens = 4096;
inline constexpr Linear kV3Dense[] = {
    {"q_a and kv_a", 1536 + 512 + 64, 7168},  // one GEMM; 2112
    {"kv_a", 512 + 64, 7168},
    {"q_b", 128 * (128 + 64), 1536},   // 24576
    {"kv_b", 128 * (128 + 128), 512},  // 32768
    {"o_proj", 7168, 128 * 128},       // 16384
    {"shared gate and up", 2 * 2048, 7168},
    {"shared down", 7168, 2048},
};

inline constexpr int64_t kV3Experts = 4;        // of a GPU
inline constexpr int64_t kV3ExpertRows = 8192;  // of each
inline constexpr Linear kV3Expert[] = {
    {"expert gate and up", 2 * 2048, 7168},
    {"expert down", 7168, 2048},
};

}  // namespace pipescope::kernels::bench
