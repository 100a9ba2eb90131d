#include <algorithm>

#include "kernels/cuda/gemm_kernel.cuh"
#include "kernels/cuda/gemm_launch.cuh"
#include "kernels/cuda/tensor_map.cuh"

namespace pipescope::kernels::cuda {
namespace {

// As many stages as fit beside c: 227 KiB a block.
template <int width, bool tiles>
constexpr int StagesOf() {
  constexpr size_t kMost = 227 * 1024;
  constexpr size_t kRest = sizeof(Shared<width, tiles, 1>) - sizeof(Stage<width, tiles>) + 1024;
  constexpr size_t kFit = (kMost - kRest) / sizeof(Stage<width, tiles>);
  return static_cast<int>(kFit < 8 ? kFit : 8);
}

template <Layout layout, int width, bool tiles>
class OurLaunch : public GemmLaunch {
 public:
  OurLaunch(const GemmMaps& maps, const GemmArguments& arguments, int sms)
      : maps_(maps), arguments_(arguments), sms_(sms) {}

  Status Run(cudaStream_t stream) override {
    constexpr int kCount = StagesOf<width, tiles>();
    constexpr int kBytes = sizeof(Shared<width, tiles, kCount>);
    const auto kernel = GemmKernel<layout, width, tiles, kCount>;
    if (!ready_) {
      const cudaError_t status =
          cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes);
      if (auto ok = Cuda(status, "a GEMM's shared memory"); !ok) return ok;
      ready_ = true;
    }
    kernel<<<static_cast<unsigned>(sms_), kThreads, kBytes, stream>>>(maps_, arguments_);
    return Cuda(cudaGetLastError(), "a GEMM's launch");
  }
  int sms() const override { return sms_; }

 private:
  const GemmMaps maps_;
  const GemmArguments arguments_;
  const int sms_;
  bool ready_ = false;
};

// Waves of tiles times what a tile costs. The narrow tile has half of the work but loads 128 + 64
// rows where the wide one loads 128 + 128: three quarters, if loads bound it.
int WidthOf(const GemmCase& c, int sms) {
  const auto cost = [&](int64_t width, double tile) {
    const int64_t rows = (c.m + 127) / 128, columns = (c.n + width - 1) / width;
    const int64_t tiles = rows * columns * (c.groups == Groups::kDepth ? c.count() : 1);
    return static_cast<double>((tiles + sms - 1) / sms) * tile;
  };
  return cost(64, 0.75) < cost(128, 1) ? 64 : 128;
}

Result<GemmMaps> MapsOf(const GemmCase& c, GemmMemory& m, int width) {
  const auto codes = CU_TENSOR_MAP_DATA_TYPE_UINT8;
  const auto a = MakeMap(m.a.as<void>(), codes, 1, {c.k, c.m});
  const auto b = MakeMap(m.b.as<void>(), codes, 1, {c.k, GemmMemory::RowsOfB(c), 1, width});
  const int64_t groups = c.groups == Groups::kDepth ? c.count() : 1;
  const auto type = c.fp32() ? CU_TENSOR_MAP_DATA_TYPE_FLOAT32 : CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
  const auto out = MakeMap(m.c.as<void>(), type, c.fp32() ? 4 : 2, {c.n, c.m, groups, 64, false});
  for (const auto* map : {&a, &b, &out}) {
    if (!*map) return Fail(map->error());
  }
  return GemmMaps{*a, *b, *out};
}

template <Layout layout, bool tiles>
std::unique_ptr<GemmLaunch> Made(const GemmMaps& maps, const GemmArguments& arguments, int sms,
                                 int width) {
  if (width == 64) {
    return std::make_unique<OurLaunch<layout, 64, tiles>>(maps, arguments, sms);
  }
  return std::make_unique<OurLaunch<layout, 128, tiles>>(maps, arguments, sms);
}

}  // namespace

Result<std::unique_ptr<GemmLaunch>> PrepareOurs(const GemmCase& c, GemmMemory& m) {
  const auto all = SmsOfGpu();
  if (!all) return Fail(all.error());
  const int sms = c.sms == 0 ? *all : std::min(c.sms, *all);
  const int width = WidthOf(c, sms);
  const auto maps = MapsOf(c, m, width);
  if (!maps) return Fail(maps.error());
  if (auto ok = m.PutOffsets(c); !ok) return Fail(ok.error());
  const GemmArguments arguments = {m.a_scales.as<float>(),
                                   m.b_scales.as<float>(),
                                   m.offsets.as<int32_t>(),
                                   static_cast<int>(c.m),
                                   static_cast<int>(c.n),
                                   static_cast<int>(c.k),
                                   static_cast<int>(c.count()),
                                   static_cast<int>(ScaleStride(c.m)),
                                   static_cast<int>(ScaleStride(c.n))};
  if (c.groups == Groups::kRows) {
    return Made<Layout::kRows, false>(*maps, arguments, sms, width);
  }
  if (c.groups == Groups::kDepth) {
    return Made<Layout::kDepth, true>(*maps, arguments, sms, width);
  }
  return c.fp32() ? Made<Layout::kDense, true>(*maps, arguments, sms, width)
                  : Made<Layout::kDense, false>(*maps, arguments, sms, width);
}

}  // namespace pipescope::kernels::cuda
