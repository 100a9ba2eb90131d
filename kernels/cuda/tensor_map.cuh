// Tensor maps for TMA: boxes of 128 bytes a row, swizzled, zeros outside.
#pragma once

#include <cuda.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/exchange/gpu_memory.cuh"

namespace pipescope::kernels::cuda {

// cuTensorMapEncodeTiled lies in the driver, which is not linked: it is asked for at run time.
inline Result<decltype(&cuTensorMapEncodeTiled)> EncodeTiled() {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found = cudaDriverEntryPointSymbolNotFound;
  const cudaError_t status = cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function,
                                                              12000, cudaEnableDefault, &found);
  if (auto ok = exchange::Cuda(status, "cuTensorMapEncodeTiled"); !ok) return Fail(ok.error());
  if (found != cudaDriverEntryPointSuccess || function == nullptr) {
    return Fail("CUDA: the driver has no cuTensorMapEncodeTiled: expected 12.0 or later");
  }
  return reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(function);
}

// [groups][rows][columns], the last running fastest; a box is one group's `box_rows` rows of 128
// bytes. With `flat` the map has two dimensions only, as LoadTile wants it.
struct MapShape {
  int64_t columns, rows, groups = 1;
  int box_rows = 128;
  bool flat = true;
};

inline Result<CUtensorMap> MakeMap(void* data, CUtensorMapDataType type, int element,
                                   const MapShape& s) {
  const auto encode = EncodeTiled();
  if (!encode) return Fail(encode.error());
  CUtensorMap map = {};
  const cuuint64_t sizes[3] = {static_cast<cuuint64_t>(s.columns), static_cast<cuuint64_t>(s.rows),
                               static_cast<cuuint64_t>(s.groups)};
  const auto row = static_cast<cuuint64_t>(s.columns * element);
  const cuuint64_t strides[2] = {row, row * static_cast<cuuint64_t>(s.rows)};
  const cuuint32_t box[3] = {static_cast<cuuint32_t>(128 / element),
                             static_cast<cuuint32_t>(s.box_rows), 1};
  const cuuint32_t steps[3] = {1, 1, 1};
  const CUresult status =
      (*encode)(&map, type, s.flat ? 2 : 3, data, sizes, strides, box, steps,
                CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (status == CUDA_SUCCESS) return map;
  return Fail("CUDA: a tensor map was refused, error " + std::to_string(status));
}

}  // namespace pipescope::kernels::cuda
