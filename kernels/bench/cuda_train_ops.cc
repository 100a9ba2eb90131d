#include "kernels/bench/check.h"
#include "kernels/bench/cuda_ops.h"
#include "kernels/train/cuda/train_check.h"

namespace pipescope::kernels::bench {
namespace {

// All of them on one set of inputs; each has a limit of its own, and the worst share of it counts.
Result<Checked> CheckOnGpu(uint64_t seed) {
  const auto checks = cuda::CheckTrainOnGpu(static_cast<uint32_t>(seed));
  if (!checks) return Fail(checks.error());
  Checked checked;
  checked.limit = 1;
  for (const cuda::TrainCheck& check : *checks) {
    NoteTrue(checked, check.operation + ": differs by " + std::to_string(check.difference),
             check.right());
    const double share = check.difference / check.allowed;
    if (!(share <= checked.difference)) checked.difference = share;
  }
  return checked;
}

}  // namespace

std::vector<Op> CudaTrainOps() {
  return {{.name = "training",
           .backend = "own",
           .device = Device::kCuda,
           .truth = "kernels/train, in double",
           .format = measured::Format::kBf16,
           .check = CheckOnGpu}};
}

}  // namespace pipescope::kernels::bench
