#include "sim/model/kernels.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace pipescope::model {
KernelList& KernelList::Gemm(const char* name, Pass pass, bool fp8_layer, int64_t groups,
                             int64_t rows, int64_t n, int64_t k) {
  const bool fp8 = fp8_ && fp8_layer;
  const double r = static_cast<double>(rows), g = static_cast<double>(groups);
  const double wide = static_cast<double>(n), deep = static_cast<double>(k);
  const double in = fp8 ? kFp8Bytes : 2.0;
  Kernel kernel;
  kernel.name = name;
  kernel.kind = KernelKind::kGemm;
  kernel.precision = fp8 ? Precision::kFp8 : Precision::kBf16;
  kernel.pass = pass;
  kernel.groups = groups;
  kernel.flops = Flops(2 * r * wide * deep);
  const int64_t rows_of_group = (rows + groups - 1) / groups;  // the fullest's
  if (pass == Pass::kWeightGrad) {
    std::tie(kernel.m, kernel.n, kernel.k) = std::tuple(k, n, rows_of_group);
    kernel.bytes =
        RoundBytes(in * r * (wide + deep) + (shape_.fused_gradients ? 8.0 : 2.0) * g * wide * deep);
  } else {
    const bool forward = pass == Pass::kForward;
    std::tie(kernel.m, kernel.n, kernel.k) =
        std::tuple(rows_of_group, forward ? n : k, forward ? k : n);
    const double read = forward ? deep : wide, written = forward ? wide : deep;
    kernel.bytes = RoundBytes(in * (r * read + g * wide * deep) + 2.0 * r * written);
  }
  kernels_.push_back(kernel);
  if (pass == Pass::kWeightGrad && !shape_.fused_gradients) {
    Memory("gradient_add", groups * n * k, 2 + 8);  // reads BF16, reads and writes FP32
  }
  return *this;
}

KernelList& KernelList::Forward(const char* name, int64_t rows, int64_t n, int64_t k,
                                bool fp8_layer, int64_t groups) {
  return Gemm(name, Pass::kForward, fp8_layer, groups, rows, n, k);
}

KernelList& KernelList::InputGrad(const char* name, int64_t rows, int64_t n, int64_t k,
                                  bool fp8_layer, int64_t groups) {
  return Gemm(name, Pass::kInputGrad, fp8_layer, groups, rows, n, k);
}

KernelList& KernelList::WeightGrad(const char* name, int64_t rows, int64_t n, int64_t k,
                                   bool fp8_layer, int64_t groups) {
  return Gemm(name, Pass::kWeightGrad, fp8_layer, groups, rows, n, k);
}

KernelList& KernelList::Memory(const char* name, int64_t rows, double bytes_per_row) {
  Kernel kernel;
  kernel.name = name;
  kernel.bytes = RoundBytes(static_cast<double>(rows) * bytes_per_row);
  kernels_.push_back(kernel);
  return *this;
}

KernelList& KernelList::Norm(const char* name, int64_t rows, int64_t width, int passes) {
  Memory(name, rows, 2.0 * passes * static_cast<double>(width));
  kernels_.back().traffic = Traffic::kNorm;
  return *this;
}

KernelList& KernelList::Small(const char* name, int launches) {
  Memory(name, 0, 0);
  kernels_.back().launches = launches;
  return *this;
}

KernelList& KernelList::Quantise(const char* name, int64_t rows, int64_t width, double bytes) {
  if (!fp8_ || rows * width == 0) return *this;
  Memory(name, rows, static_cast<double>(width) * bytes);
  kernels_.back().traffic = Traffic::kCast;
  return *this;
}

KernelList& KernelList::Cast(const char* name, int64_t rows, int64_t width) {
  return Quantise(name, rows, width, 2 + kFp8Bytes);
}

KernelList& KernelList::Recast(const char* name, int64_t rows, int64_t width) {
  return Quantise(name, rows, width, 2 * kFp8Bytes);
}

KernelList& KernelList::CastE5M6(const char* name, int64_t rows, int64_t width) {
  return Quantise(name, rows, width, 2 + 12.0 / 8);
}

KernelList& KernelList::CastBack(const char* name, int64_t rows, int64_t width) {
  if (!fp8_) return *this;
  return Memory(name, rows, static_cast<double>(width) * (2 + kFp8Bytes));
}

KernelList& KernelList::TransposeWeights(const char* name, int64_t n, int64_t k, int64_t groups) {
  if (!fp8_) return *this;
  return Memory(name, n, 2.0 * static_cast<double>(groups * k));
}

void KernelList::Cut() {
  if (kernels_.empty()) return;
  phases_.push_back({kind_, pass_, std::move(kernels_)});
  kernels_.clear();
}

KernelList& KernelList::Send(PhaseKind kind, int64_t width, bool beside) {
  if (shape_.tensor == 1) return *this;
  Cut();
  phases_.push_back({kind, pass_, {}, 0, Bytes(2 * tokens_ * width), beside});
  return *this;
}

KernelList& KernelList::Reduce(int64_t bytes) {
  if (shape_.tensor == 1) return *this;
  Cut();
  phases_.push_back({PhaseKind::kReduce, pass_, {}, 0, Bytes(tokens_ * bytes)});
  return *this;
}

KernelList& KernelList::Exchange(int64_t width) {
  if (shape_.context == 1) return *this;
  Cut();
  phases_.push_back({PhaseKind::kExchange, pass_, {}, 0, Bytes(2 * tokens_ * width)});
  return *this;
}

std::vector<Phase> KernelList::Take() {
  Cut();
  if (phases_.empty()) phases_.push_back({kind_, pass_, {}});
  std::vector<Phase> numbered;
  Append(numbered, std::move(phases_));
  return numbered;
}

void Append(std::vector<Phase>& to, std::vector<Phase> phases) {
  for (Phase& phase : phases) {
    phase.part = static_cast<int>(
        std::count_if(to.begin(), to.end(), [&](const Phase& p) { return p.kind == phase.kind; }));
    to.push_back(std::move(phase));
  }
}

KernelList& KernelList::AttentionCore(const char* name, const Attention& a, double keys,
                                      Pass pass) {
  const double qk = static_cast<double>(a.qk_dim()), v = static_cast<double>(a.v_dim());
  const double tokens = static_cast<double>(tokens_);
  const bool forward = pass == Pass::kForward;
  const double depth = forward ? qk + v : 3 * qk + 2 * v;  // multiply-adds per query-key pair
  const double operands =
      static_cast<double>(a.q_width() + a.k_width() + a.v_width() + a.output_width());
  Kernel kernel;
  kernel.name = name;
  kernel.kind = KernelKind::kAttention;
  kernel.pass = pass;
  const bool whole = shape_.exchange == ContextExchange::kAllToAll;
  const int64_t split = whole ? shape_.context : 1;  // of the heads; the sequence is whole then
  kernel.attention = {std::max<int64_t>(1, tokens_ * shape_.context / shape_.sequence),
                      shape_.sequence,
                      std::max<int64_t>(1, a.heads / split),
                      std::max<int64_t>(1, a.key_heads() / split),
                      a.qk_dim(),
                      a.v_dim()};
  kernel.flops = Flops(2 * static_cast<double>(a.heads) * depth * tokens * keys);
  // Queries, keys, values and outputs in BF16; backward reads them and writes their gradients.
  kernel.bytes = RoundBytes(tokens * 2 * (forward ? 1 : 2) * operands);
  kernels_.push_back(kernel);
  return *this;
}

}  // namespace pipescope::model
