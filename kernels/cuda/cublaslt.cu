#include <dlfcn.h>

#include "kernels/cuda/cublaslt.cuh"
#include "kernels/cuda/gemm_launch.cuh"

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

// c [m][n] row by row is c' [n][m] column by column: the library's A is our b, its B our a.
class LtLaunch : public GemmLaunch {
 public:
  LtLaunch(const CublasLt& lt, const GemmCase& c, GemmMemory& memory, int sms)
      : lt_(lt), case_(c), memory_(memory), sms_(sms) {}

  ~LtLaunch() override {
    if (preference_ != nullptr) lt_.preference_destroy(preference_);
    for (cublasLtMatrixLayout_t layout : {a_, b_, d_}) {
      if (layout != nullptr) lt_.layout_destroy(layout);
    }
    if (desc_ != nullptr) lt_.desc_destroy(desc_);
    if (handle_ != nullptr) lt_.destroy(handle_);
  }

  Status Prepare() {
    for (auto step : {&LtLaunch::Describe, &LtLaunch::LayOut, &LtLaunch::Choose}) {
      if (auto ok = (this->*step)(); !ok) return ok;
    }
    return {};
  }

  Status Run(cudaStream_t stream) override {
    const float one = 1, zero = 0;
    void* c = memory_.c.as<void>();
    return Lt(
        lt_.matmul(handle_, desc_, &one, memory_.b.as<void>(), a_, memory_.a.as<void>(), b_, &zero,
                   c, d_, c, d_, &chosen_.algo, memory_.workspace.as<void>(), kWorkspace, stream),
        "the GEMM");
  }
  int sms() const override { return sms_; }

 private:
  template <class T>
  Status Set(cublasLtMatmulDescAttributes_t attribute, const T& value, const char* what) {
    return Lt(lt_.desc_set(desc_, attribute, &value, sizeof(value)), what);
  }

  Status Describe() {
    if (auto ok = Lt(lt_.create(&handle_), "its handle"); !ok) return ok;
    if (auto ok = Lt(lt_.desc_create(&desc_, CUBLAS_COMPUTE_32F, CUDA_R_32F), "a GEMM"); !ok) {
      return ok;
    }
    const cublasOperation_t turned = CUBLAS_OP_T;
    if (auto ok = Set(CUBLASLT_MATMUL_DESC_TRANSA, turned, "a transposition"); !ok) return ok;
    const int32_t tiles = CUBLASLT_MATMUL_MATRIX_SCALE_VEC128_32F;
    const int32_t of_b = case_.fp32() ? tiles : CUBLASLT_MATMUL_MATRIX_SCALE_BLK128x128_32F;
    const void* a_scales = memory_.b_scales.as<void>();
    const void* b_scales = memory_.a_scales.as<void>();
    if (auto ok = Set(CUBLASLT_MATMUL_DESC_A_SCALE_MODE, of_b, "block scaling"); !ok) return ok;
    if (auto ok = Set(CUBLASLT_MATMUL_DESC_B_SCALE_MODE, tiles, "block scaling"); !ok) return ok;
    if (auto ok = Set(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, a_scales, "scales"); !ok) return ok;
    if (auto ok = Set(CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, b_scales, "scales"); !ok) return ok;
    if (case_.sms == 0) return {};
    return Set(CUBLASLT_MATMUL_DESC_SM_COUNT_TARGET, int32_t{case_.sms}, "a number of SMs");
  }

  Status LayOut() {
    const auto m = static_cast<uint64_t>(case_.m), n = static_cast<uint64_t>(case_.n);
    const auto k = static_cast<uint64_t>(case_.k);
    const cudaDataType_t out = case_.fp32() ? CUDA_R_32F : CUDA_R_16BF;
    if (auto ok = Lt(lt_.layout_create(&a_, CUDA_R_8F_E4M3, k, n, case_.k), "a layout"); !ok) {
      return ok;
    }
    if (auto ok = Lt(lt_.layout_create(&b_, CUDA_R_8F_E4M3, k, m, case_.k), "a layout"); !ok) {
      return ok;
    }
    return Lt(lt_.layout_create(&d_, out, n, m, case_.n), "a layout");
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
    if (auto ok = memory_.workspace.Reset(0, kWorkspace, 0); !ok) return ok;
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
  const GemmCase case_;
  GemmMemory& memory_;
  const int sms_;
  cublasLtHandle_t handle_ = nullptr;
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

Result<std::unique_ptr<GemmLaunch>> PrepareCublasLt(const GemmCase& c, GemmMemory& memory) {
  const auto lt = LoadCublasLt();
  if (!lt) return Fail(lt.error());
  const auto all = SmsOfGpu();
  if (!all) return Fail(all.error());
  auto launch = std::make_unique<LtLaunch>(**lt, c, memory, c.sms == 0 ? *all : c.sms);
  if (auto ok = launch->Prepare(); !ok) return Fail(ok.error());
  return std::unique_ptr<GemmLaunch>(std::move(launch));
}

}  // namespace pipescope::kernels::cuda
