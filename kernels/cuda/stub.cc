// Where there is no toolkit.
#include "kernels/cuda/gemm.h"
#include "kernels/cuda/gpu.h"
#include "kernels/cuda/interference.h"
#include "kernels/cuda/linear.h"
#include "kernels/cuda/quantize.h"
#include "kernels/cuda/work.h"

namespace pipescope::kernels::cuda {
namespace {

tl::unexpected<Error> Without() { return Fail("kernels on a GPU: built without CUDA"); }

}  // namespace

Result<GpuPeaks> MeasureGpuPeaks() { return Without(); }
Result<GpuTimes> TimeCopyOnGpu(Bytes) { return Without(); }
Result<std::string> CublasLtVersion() { return Without(); }
Result<Quantized> QuantizeOnGpu(const QuantizeCase&, std::span<const uint16_t>,
                                std::span<const uint16_t>) {
  return Without();
}
PreparedWork PrepareQuantize(const QuantizeCase&) { return Without(); }
Result<std::vector<float>> LinearOnGpu(const LinearCase&, std::span<const uint16_t>,
                                       std::span<const uint16_t>) {
  return Without();
}
PreparedWork PrepareLinear(const LinearCase&) { return Without(); }
Result<std::unique_ptr<LinearQueue>> LinearQueue::Make(int, int) { return Without(); }
PreparedWork PrepareTrain(const TrainCase&) { return Without(); }
Result<GpuTimes> TimeOnGpu(Work&) { return Without(); }
Result<std::vector<float>> GemmOnGpu(const GemmCase&, const GemmInputs&) { return Without(); }
PreparedWork PrepareGemm(const GemmCase&) { return Without(); }
Result<Interference> MeasureInterference(const Prepare&, int) { return Without(); }

}  // namespace pipescope::kernels::cuda
