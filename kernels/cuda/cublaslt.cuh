// cuBLASLt, loaded at run time: what it is called, and which of its functions are used.
#pragma once

#include <cublasLt.h>

#include <string>

#include "kernels/cuda/gemm_launch.cuh"
#include "sim/base/result.h"

namespace pipescope::kernels::cuda {

struct CublasLt {
  decltype(&cublasLtCreate) create = nullptr;
  decltype(&cublasLtDestroy) destroy = nullptr;
  decltype(&cublasLtGetVersion) version = nullptr;
  decltype(&cublasLtMatmul) matmul = nullptr;
  decltype(&cublasLtMatmulAlgoGetHeuristic) heuristic = nullptr;
  decltype(&cublasLtMatmulDescCreate) desc_create = nullptr;
  decltype(&cublasLtMatmulDescDestroy) desc_destroy = nullptr;
  decltype(&cublasLtMatmulDescSetAttribute) desc_set = nullptr;
  decltype(&cublasLtMatrixLayoutCreate) layout_create = nullptr;
  decltype(&cublasLtMatrixLayoutDestroy) layout_destroy = nullptr;
  decltype(&cublasLtMatmulPreferenceCreate) preference_create = nullptr;
  decltype(&cublasLtMatmulPreferenceDestroy) preference_destroy = nullptr;
  decltype(&cublasLtMatmulPreferenceSetAttribute) preference_set = nullptr;
};

// d = op(a) op(b), all column by column as the library has them. Scales are null, or what their
// mode says.
struct LtMatrix {
  cudaDataType_t type = CUDA_R_16BF;
  int64_t rows = 0, columns = 0, stride = 0;
  void* data = nullptr;
  int32_t scale_mode = -1;
  const void* scales = nullptr;
};
struct LtProblem {
  bool turn_a = true, turn_b = false;
  LtMatrix a, b, d;
  int sms = 0;  // 0: all
  int gpu = 0;
  cublasLtHandle_t handle = nullptr;  // null: one of its own
};

// On the problem's arrays, or on others of the same sizes.
class LtGemm : public GemmLaunch {
 public:
  virtual Status RunOn(const void* a, const void* b, void* d, cudaStream_t stream) = 0;
};
// `workspace` must outlive it; made at its first use, then shared by GEMMs that follow one another.
Result<std::unique_ptr<LtGemm>> PrepareLt(const LtProblem& problem, GpuBytes& workspace);

// Loads it once; fails, always with the same words, where it is not there or too old.
Result<const CublasLt*> LoadCublasLt();

}  // namespace pipescope::kernels::cuda
