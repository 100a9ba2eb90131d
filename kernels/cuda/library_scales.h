// Block scales as cuBLASLt wants them (its documentation, "128-element 1D and 128x128 2D block
// scaling for FP8 data types", on scaling factors' layouts):
//
//   tiles of 1 x 128      [L][m]: rows run fastest and are not padded; L = k / 128 rounded up
//   blocks of 128 x 128   [m / 128][L4]: along k fastest, L4 = L up to a multiple of 4
//
// m and n are multiples of 4; blocks on both sides are not supported. Ours (quantize.h) differ: our
// tiles' rows are padded to 128, our blocks not.
//
// Example: 132 rows of 640: tiles 5 x 132 floats; blocks 2 x 8 floats.
#pragma once

#include <vector>

#include "kernels/cuda/gemm.h"

namespace pipescope::kernels::cuda {

std::vector<float> LibraryScales(const Quantized& q);
// Whether cuBLASLt has block scaling for such a GEMM.
Status CheckLibraryCase(const GemmCase& c);

}  // namespace pipescope::kernels::cuda
