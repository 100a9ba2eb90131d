#include <fmt/format.h>

#include "kernels/bench/check.h"
#include "kernels/bench/cuda_ops.h"
#include "kernels/cuda/linear.h"
#include "kernels/train/bf16.h"

namespace pipescope::kernels::bench {
namespace {

using cuda::LinearCase;
using cuda::LinearPass;
using measured::Pass;

// BF16 results, of FP32 sums: half of (2^-9)^2.
constexpr double kLimit = 1e-5;

std::vector<double> Truth(const LinearCase& c, std::span<const float> first,
                          std::span<const float> second) {
  const bool forward = c.pass == LinearPass::kForward, weight = c.pass == LinearPass::kWeightGrad;
  const int64_t rows = weight ? c.out : c.tokens, columns = forward ? c.out : c.in;
  const int64_t inner = forward ? c.in : weight ? c.tokens : c.out;
  std::vector<double> truth;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < inner; ++k) {
        const int64_t a = weight ? k * rows + i : i * inner + k;
        const int64_t b = forward ? j * inner + k : k * columns + j;
        sum += double{first[static_cast<size_t>(a)]} * double{second[static_cast<size_t>(b)]};
      }
      truth.push_back(sum);
    }
  }
  return truth;
}

Result<Checked> Check(LinearPass pass, uint64_t seed) {
  Checked checked = {.limit = kLimit};
  Draw draw(seed);
  for (const auto& [tokens, in, out] :
       {std::tuple{64, 64, 64}, {8, 8, 8}, {72, 136, 200}, {128, 512, 264}}) {
    const LinearCase c = {pass, tokens, in, out};
    const auto encoded = [&](int64_t count, std::vector<uint16_t>& codes) {
      auto values = DrawNormal(draw, count);
      for (float& v : values) v = DecodeBf16(codes.emplace_back(EncodeBf16(v)));
      return values;
    };
    std::vector<uint16_t> x, y;
    const auto first = encoded(c.first(), x), second = encoded(c.second(), y);
    const auto is = LinearOnGpu(c, x, y);
    if (!is) return Fail(is.error());
    Note(checked, fmt::format("tokens {}, in {}, out {}", tokens, in, out), Widen(*is),
         Truth(c, first, second));
  }
  return checked;
}

// A profile's GEMM is [m][k] times [k][n].
Shape ShapeOf(LinearPass pass, int64_t tokens, int64_t in, int64_t out) {
  switch (pass) {
    case LinearPass::kForward:
      return {{"groups", 1}, {"m", tokens}, {"n", out}, {"k", in}};
    case LinearPass::kInputGrad:
      return {{"groups", 1}, {"m", tokens}, {"n", in}, {"k", out}};
    default:
      return {{"groups", 1}, {"m", out}, {"n", in}, {"k", tokens}};
  }
}

LinearCase CaseOf(LinearPass pass, const Shape& shape) {
  const int64_t m = At(shape, "m"), n = At(shape, "n"), k = At(shape, "k");
  switch (pass) {
    case LinearPass::kForward:
      return {pass, m, k, n};
    case LinearPass::kInputGrad:
      return {pass, m, n, k};
    default:
      return {pass, k, n, m};
  }
}

Op LinearOp(const char* name, LinearPass pass, Pass as) {
  Op op = {.name = name,
           .backend = "cuBLASLt",
           .device = Device::kCuda,
           .truth = "sums in double",
           .kind = measured::Kind::kGemm,
           .pass = as,
           .format = measured::Format::kBf16,
           .shapes = {ShapeOf(pass, 4096, 7168, 129280), ShapeOf(pass, 4096, 7168, 256)},
           .sizes = {{"m", 8}, {"n", 8}, {"k", 8}}};
  op.check = [pass](uint64_t seed) { return Check(pass, seed); };
  op.prepare = [pass](const Shape& shape, int) { return PrepareLinear(CaseOf(pass, shape)); };
  op.trial = [pass](const Shape& shape, int) {
    const LinearCase c = CaseOf(pass, shape);
    return OnGpu(PrepareLinear(c), c.flops(), c.bytes());
  };
  return op;
}

}  // namespace

std::vector<Op> CudaLinearOps() {
  return {LinearOp("linear_forward", LinearPass::kForward, Pass::kForward),
          LinearOp("linear_input_grad", LinearPass::kInputGrad, Pass::kInputGrad),
          LinearOp("linear_weight_grad", LinearPass::kWeightGrad, Pass::kWeightGrad)};
}

}  // namespace pipescope::kernels::bench
