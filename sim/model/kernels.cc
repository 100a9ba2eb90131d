#include "sim/model/kernels.h"

#include <cmath>

namespace pipescope::model {
KernelList& KernelList::Gemm(const char* name, Pass pass, bool fp8_layer, int64_t groups, int64_t m,
                             int64_t n, int64_t k) {
  const bool fp8 = fp8_ && fp8_layer;
  const auto product = [groups](int64_t a, int64_t b) {
    return static_cast<double>(groups) * static_cast<double>(a) * static_cast<double>(b);
  };
  const double in = fp8 ? kFp8Bytes : 2.0;
  const double out = pass == Pass::kWeightGrad ? 8.0 : 2.0;  // FP32 read and written, or BF16
  Kernel kernel;
  kernel.name = name;
  kernel.kind = KernelKind::kGemm;
  kernel.precision = fp8 ? Precision::kFp8 : Precision::kBf16;
  kernel.pass = pass;
  kernel.groups = groups;
  kernel.m = m;
  kernel.n = n;
  kernel.k = k;
  kernel.flops = Flops(2 * product(m, n) * static_cast<double>(k));
  kernel.bytes = RoundBytes(in * (product(m, k) + product(n, k)) + out * product(m, n));
  kernels_.push_back(kernel);
  return *this;
}

KernelList& KernelList::Forward(const char* name, int64_t rows, int64_t n, int64_t k,
                                bool fp8_layer, int64_t groups) {
  return Gemm(name, Pass::kForward, fp8_layer, groups, rows / groups, n, k);
}

KernelList& KernelList::InputGrad(const char* name, int64_t rows, int64_t n, int64_t k,
                                  bool fp8_layer, int64_t groups) {
  return Gemm(name, Pass::kInputGrad, fp8_layer, groups, rows / groups, k, n);
}

KernelList& KernelList::WeightGrad(const char* name, int64_t rows, int64_t n, int64_t k,
                                   bool fp8_layer, int64_t groups) {
  return Gemm(name, Pass::kWeightGrad, fp8_layer, groups, k, n, rows / groups);
}

KernelList& KernelList::Memory(const char* name, int64_t rows, double bytes_per_row) {
  Kernel kernel;
  kernel.name = name;
  kernel.bytes = RoundBytes(static_cast<double>(rows) * bytes_per_row);
  kernels_.push_back(kernel);
  return *this;
}

KernelList& KernelList::Cast(const char* name, int64_t rows, int64_t width) {
  if (!fp8_) return *this;
  return Memory(name, rows, static_cast<double>(width) * (2 + kFp8Bytes));
}

KernelList& KernelList::Transpose(const char* name, int64_t rows, int64_t width) {
  if (!fp8_) return *this;
  return Memory(name, rows, static_cast<double>(width) * 2 * kFp8Bytes);
}

KernelList& KernelList::Attention(const char* name, const ModelConfig& model, int64_t sequence,
                                  Pass pass) {
  const double qk = static_cast<double>(model.qk_head_dim());
  const double v = static_cast<double>(model.v_head_dim);
  const double heads = static_cast<double>(model.heads);
  const double tokens = static_cast<double>(tokens_);
  const bool forward = pass == Pass::kForward;
  const double depth = forward ? qk + v : 3 * qk + 2 * v;  // multiply-adds per query-key pair
  Kernel kernel;
  kernel.name = name;
  kernel.kind = KernelKind::kAttention;
  kernel.pass = pass;
  kernel.flops = Flops(2 * heads * depth * tokens * static_cast<double>(sequence) / 2);
  // Queries, keys, values and outputs in BF16; backward reads them and writes their gradients.
  kernel.bytes = RoundBytes(tokens * heads * 2 * (forward ? 2 * qk + 2 * v : 4 * qk + 4 * v));
  kernels_.push_back(kernel);
  return *this;
}

}  // namespace pipescope::model
