#include <dlfcn.h>

#include "kernels/cuda/cublaslt.cuh"
#include "kernels/cuda/library_scales.h"

namespace pipescope::kernels::cuda {
namespace {

template <class Function>
bool Find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

bool FindAll(void* l, CublasLt& f) {
  return Find(l, "cublasLtCreate", f.create) && Find(l, "cublasLtDestroy", f.destroy) &&
         Find(l, "cublasLtGetVersion", f.version) && Find(l, "cublasLtMatmul", f.matmul) &&
         Find(l, "cublasLtMatmulAlgoGetHeuristic", f.heuristic) &&
         Find(l, "cublasLtMatmulDescCreate", f.desc_create) &&
         Find(l, "cublasLtMatmulDescDestroy", f.desc_destroy) &&
         Find(l, "cublasLtMatmulDescSetAttribute", f.desc_set) &&
         Find(l, "cublasLtMatrixLayoutCreate", f.layout_create) &&
         Find(l, "cublasLtMatrixLayoutDestroy", f.layout_destroy) &&
         Find(l, "cublasLtMatmulPreferenceCreate", f.preference_create) &&
         Find(l, "cublasLtMatmulPreferenceDestroy", f.preference_destroy) &&
         Find(l, "cublasLtMatmulPreferenceSetAttribute", f.preference_set);
}

Status Lt(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return {};
  return Fail("cuBLASLt: " + std::string(what) + ": status " + std::to_string(status));
}

constexpr size_t kWorkspace = size_t{32} << 20;  // what NVIDIA recommends for Hopper

class LtLaunch : public LtGemm {
 public:
  LtLaunch(const CublasLt& lt, const LtProblem& problem, GpuBytes& workspace, int sms)
      : lt_(lt), p_(problem), workspace_(workspace), sms_(sms), handle_(problem.handle) {}

  ~LtLaunch() override {
    if (preference_ != nullptr) lt_.preference_destroy(preference_);
    for (cublasLtMatrixLayout_t layout : {a_, b_, d_}) {
      if (layout != nullptr) lt_.layout_destroy(layout);
    }
    if (desc_ != nullptr) lt_.desc_destroy(desc_);
    if (handle_ != p_.handle) lt_.destroy(handle_);
  }

  Status Prepare() {
    for (auto step : {&LtLaunch::Describe, &LtLaunch::LayOut, &LtLaunch::Choose}) {
      if (auto ok = (this->*step)(); !ok) return ok;
    }
    return {};
  }

  Status Run(cudaStream_t stream) override {
    return RunOn(p_.a.data, p_.b.data, p_.d.data, stream);
  }
  Status RunOn(const void* a, const void* b, void* d, cudaStream_t stream) override {
    const float one = 1, zero = 0;
    return Lt(lt_.matmul(handle_, desc_, &one, a, a_, b, b_, &zero, d, d_, d, d_, &chosen_.algo,
                         workspace_.as<void>(), kWorkspace, stream),
              "the GEMM");
  }
  int sms() const override { return sms_; }

 private:
  template <class T>
  Status Set(cublasLtMatmulDescAttributes_t attribute, const T& value, const char* what) {
    return Lt(lt_.desc_set(desc_, attribute, &value, sizeof(value)), what);
  }

  Status SetScales(const LtMatrix& m, cublasLtMatmulDescAttributes_t mode,
                   cublasLtMatmulDescAttributes_t pointer) {
    if (m.scales == nullptr) return {};
    if (reinterpret_cast<uintptr_t>(m.scales) % 16 != 0) {
      return Fail("cuBLASLt: scales: expected at a multiple of 16 bytes");
    }
    if (auto ok = Set(mode, m.scale_mode, "block scaling (cuBLAS 12.9 or later)"); !ok) return ok;
    return Set(pointer, m.scales, "scales");
  }

  Status Describe() {
    if (handle_ == nullptr) {
      if (auto ok = Lt(lt_.create(&handle_), "its handle"); !ok) return ok;
    }
    if (auto ok = Lt(lt_.desc_create(&desc_, CUBLAS_COMPUTE_32F, CUDA_R_32F), "a GEMM"); !ok) {
      return ok;
    }
    const cublasOperation_t of_a = p_.turn_a ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasOperation_t of_b = p_.turn_b ? CUBLAS_OP_T : CUBLAS_OP_N;
    if (auto ok = Set(CUBLASLT_MATMUL_DESC_TRANSA, of_a, "a transposition"); !ok) return ok;
    if (auto ok = Set(CUBLASLT_MATMUL_DESC_TRANSB, of_b, "a transposition"); !ok) return ok;
    if (auto ok = SetScales(p_.a, CUBLASLT_MATMUL_DESC_A_SCALE_MODE,
                            CUBLASLT_MATMUL_DESC_A_SCALE_POINTER);
        !ok) {
      return ok;
    }
    if (auto ok = SetScales(p_.b, CUBLASLT_MATMUL_DESC_B_SCALE_MODE,
                            CUBLASLT_MATMUL_DESC_B_SCALE_POINTER);
        !ok) {
      return ok;
    }
    if (p_.sms == 0) return {};
    return Set(CUBLASLT_MATMUL_DESC_SM_COUNT_TARGET, int32_t{p_.sms}, "a number of SMs");
  }

  Status LayOutOne(const LtMatrix& m, cublasLtMatrixLayout_t* layout) {
    return Lt(lt_.layout_create(layout, m.type, static_cast<uint64_t>(m.rows),
                                static_cast<uint64_t>(m.columns), m.stride),
              "a layout");
  }
  Status LayOut() {
    if (auto ok = LayOutOne(p_.a, &a_); !ok) return ok;
    if (auto ok = LayOutOne(p_.b, &b_); !ok) return ok;
    return LayOutOne(p_.d, &d_);
  }

  Status Choose() {
    if (auto ok = Lt(lt_.preference_create(&preference_), "a preference"); !ok) return ok;
    const size_t bytes = kWorkspace;
    if (auto ok = Lt(lt_.preference_set(preference_, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                        &bytes, sizeof(bytes)),
                     "a preference");
        !ok) {
      return ok;
    }
    if (workspace_.as<void>() == nullptr) {
      if (auto ok = workspace_.Reset(p_.gpu, kWorkspace, 0); !ok) return ok;
    }
    int found = 0;
    if (auto ok =
            Lt(lt_.heuristic(handle_, desc_, a_, b_, d_, d_, preference_, 1, &chosen_, &found),
               "no kernel for this shape");
        !ok) {
      return ok;
    }
    return found > 0 ? Status() : Fail("cuBLASLt: no kernel for this shape");
  }

  const CublasLt& lt_;
  const LtProblem p_;
  GpuBytes& workspace_;
  const int sms_;
  cublasLtHandle_t handle_;
  cublasLtMatmulDesc_t desc_ = nullptr;
  cublasLtMatrixLayout_t a_ = nullptr;
  cublasLtMatrixLayout_t b_ = nullptr;
  cublasLtMatrixLayout_t d_ = nullptr;
  cublasLtMatmulPreference_t preference_ = nullptr;
  cublasLtMatmulHeuristicResult_t chosen_ = {};
};

}  // namespace

Result<const CublasLt*> LoadCublasLt() {
  static const CublasLt* const loaded = []() -> const CublasLt* {
    static CublasLt functions;
    for (const char* name : {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"}) {
      void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
      if (library != nullptr && FindAll(library, functions)) return &functions;
    }
    return nullptr;
  }();
  if (loaded != nullptr) return loaded;
  return Fail("cuBLASLt: libcublasLt.so.13 or .12 is not among the libraries that can be loaded");
}

Result<std::string> CublasLtVersion() {
  const auto lt = LoadCublasLt();
  if (!lt) return Fail(lt.error());
  const size_t version = (*lt)->version();  // 130100 is 13.1.0
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

Result<std::unique_ptr<LtGemm>> PrepareLt(const LtProblem& problem, GpuBytes& workspace) {
  const auto lt = LoadCublasLt();
  if (!lt) return Fail(lt.error());
  const auto all = SmsOfGpu();
  if (!all) return Fail(all.error());
  const int sms = problem.sms == 0 ? *all : problem.sms;
  auto launch = std::make_unique<LtLaunch>(**lt, problem, workspace, sms);
  if (auto ok = launch->Prepare(); !ok) return Fail(ok.error());
  return std::unique_ptr<LtGemm>(std::move(launch));
}

// c [m][n] row by row is c' [n][m] column by column: the library's a is our b, its b our a.
Result<std::unique_ptr<GemmLaunch>> PrepareCublasLt(const GemmCase& c, GemmMemory& memory) {
  if (auto ok = CheckLibraryCase(c); !ok) return Fail(ok.error());
  constexpr int32_t kTiles = CUBLASLT_MATMUL_MATRIX_SCALE_VEC128_32F;
  constexpr int32_t kBlocks = CUBLASLT_MATMUL_MATRIX_SCALE_BLK128x128_32F;
  const cudaDataType_t codes = CUDA_R_8F_E4M3, out = c.fp32() ? CUDA_R_32F : CUDA_R_16BF;
  LtProblem p;
  p.a = {codes,
         c.k,
         c.n,
         c.k,
         memory.b.as<void>(),
         c.fp32() ? kTiles : kBlocks,
         memory.b_scales.as<void>()};
  p.b = {codes, c.k, c.m, c.k, memory.a.as<void>(), kTiles, memory.a_scales.as<void>()};
  p.d = {out, c.n, c.m, c.n, memory.c.as<void>()};
  p.sms = c.sms;
  auto gemm = PrepareLt(p, memory.workspace);
  if (!gemm) return Fail(gemm.error());
  return std::unique_ptr<GemmLaunch>(std::move(*gemm));
}

}  // namespace pipescope::kernels::cuda
