#include <fmt/format.h>

#include "kernels/cuda/linear.h"

namespace pipescope::kernels::cuda {

int64_t LinearCase::result() const {
  switch (pass) {
    case LinearPass::kForward:
      return tokens * out;
    case LinearPass::kInputGrad:
      return tokens * in;
    default:
      return out * in;
  }
}

Flops LinearCase::flops() const {
  return Flops(2 * static_cast<double>(tokens) * static_cast<double>(in) *
               static_cast<double>(out));
}

Bytes LinearCase::bytes() const {
  const int64_t each = pass == LinearPass::kWeightGrad ? 4 : 2;
  return Bytes(2 * (first() + second()) + each * result());
}

// 16 bytes a row: what the library's kernels for tensor cores want.
Status CheckCase(const LinearCase& c) {
  constexpr int64_t kMost = int64_t{1} << 24;
  for (const auto& [field, value] : {std::pair{"tokens", c.tokens}, {"in", c.in}, {"out", c.out}}) {
    if (value < 8 || value > kMost || value % 8 != 0) {
      return Fail(fmt::format("{}: {}: expected a multiple of 8, up to {}", field, value, kMost));
    }
  }
  return {};
}

}  // namespace pipescope::kernels::cuda
