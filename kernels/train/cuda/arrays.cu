#include "kernels/train/cuda/arrays_cuda.h"
#include "kernels/train/cuda/row_launch.cuh"
#include "kernels/train/device/arrays.h"

namespace pipescope::kernels::cuda {
namespace {

struct MoveColumnsBody {
  const Bf16* x;
  Bf16* y;
  int64_t columns;
  ColumnStrides strides;
  __device__ void operator()(CudaBlock& block, int64_t r) const {
    device::MoveColumnsRow(block, x, y, r, columns, strides.from, strides.to, strides.repeat);
  }
};

struct WidenBody {
  const Bf16* x;
  float* y;
  __device__ void operator()(int64_t i) const { device::WidenEight(x, y, 8 * i); }
};
struct NarrowBody {
  const float* x;
  Bf16* y;
  __device__ void operator()(int64_t i) const { device::NarrowEight(x, y, 8 * i); }
};
struct RoundFloatsBody {
  float* x;
  __device__ void operator()(int64_t i) const { x[i] = device::RoundedToBf16(x[i]); }
};
struct GatherFloatsBody {
  const float* x;
  const int64_t* from;
  float* y;
  __device__ void operator()(int64_t i) const { device::GatherFloat(x, from, y, i); }
};
struct ScatterFloatsBody {
  const float* x;
  const int64_t* to;
  float* y;
  __device__ void operator()(int64_t i) const { device::ScatterFloat(x, to, y, i); }
};
struct AddToSumBody {
  const float* gradient;
  double* sum;
  __device__ void operator()(int64_t i) const { device::AddFourToSum(gradient, sum, 4 * i); }
};
struct AddSumsBody {
  const double* const* sums;
  int copies;
  float* gradient;
  int32_t* inexact;
  __device__ void operator()(int64_t i) const {
    device::AddSumsOf(sums, copies, gradient, inexact, i);
  }
};

Status Divides(const char* what, int64_t by, int64_t count) {
  if (count % by == 0) return {};
  return Fail(std::string(what) + ": " + std::to_string(count) +
              " values: expected a multiple of " + std::to_string(by));
}

}  // namespace

Status MoveColumns(const Bf16* x, Bf16* y, Size size, ColumnStrides strides, Stream stream) {
  for (const int64_t stride : {strides.from, strides.to}) {
    if (auto ok = Divides("moving columns: a stride", kWidth, stride); !ok) return ok;
  }
  return OverRows("moving columns", MoveColumnsBody{x, y, size.columns, strides}, size, stream);
}

Status Widen(const Bf16* x, float* y, int64_t count, Stream stream) {
  if (auto ok = Divides("widening", 8, count); !ok) return ok;
  return OverEach("widening", WidenBody{x, y}, count / 8, stream);
}

Status Narrow(const float* x, Bf16* y, int64_t count, Stream stream) {
  if (auto ok = Divides("narrowing", 8, count); !ok) return ok;
  return OverEach("narrowing", NarrowBody{x, y}, count / 8, stream);
}

Status RoundFloats(float* x, int64_t count, Stream stream) {
  return OverEach("rounding", RoundFloatsBody{x}, count, stream);
}

Status GatherFloats(const float* x, const int64_t* from, float* y, int64_t count, Stream stream) {
  return OverEach("gathering", GatherFloatsBody{x, from, y}, count, stream);
}

Status ScatterFloats(const float* x, const int64_t* to, float* y, int64_t count, Stream stream) {
  return OverEach("scattering", ScatterFloatsBody{x, to, y}, count, stream);
}

Status AddToSum(const float* gradient, double* sum, int64_t count, Stream stream) {
  if (auto ok = Divides("a sum of gradients", 4, count); !ok) return ok;
  return OverEach("a sum of gradients", AddToSumBody{gradient, sum}, count / 4, stream);
}

Status AddSums(const double* const* sums, int copies, float* gradient, int32_t* inexact,
               int64_t count, Stream stream) {
  return OverEach("the copies' sums", AddSumsBody{sums, copies, gradient, inexact}, count, stream);
}

}  // namespace pipescope::kernels::cuda
