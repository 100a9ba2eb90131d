#include "kernels/bench/cuda_ops.h"
#include "kernels/bench/exchange_op.h"
#include "kernels/exchange/gpu_exchange.h"

namespace pipescope::kernels::bench {
namespace {

using exchange::Config;
using exchange::Part;

Result<std::unique_ptr<exchange::Exchange>> Make(const Config& config) {
  return exchange::MakeGpuExchange(config, 1);
}

// Virtual ranks share one GPU: their SMs together must fit on it, all at once.
Config ConfigOf(const Shape& shape) {
  Config config = SizedAs({}, shape);
  config.experts = 8 * config.ranks();
  config.selected = 4;
  config.sms = static_cast<int>(At(shape, "sms_a_rank"));
  return exchange::WithTunedBuffers(config);
}

Result<Checked> CheckOnGpu(uint64_t seed) {
  Checked checked;
  for (const auto& [nodes, locals] : {std::pair{1, 4}, {4, 1}, {2, 4}}) {
    const Config config = ConfigOf(
        {{"nodes", nodes}, {"locals", locals}, {"hidden", 512}, {"tokens", 96}, {"sms_a_rank", 4}});
    if (auto ok = NoteRoutings(checked, Make, config, seed); !ok) return Fail(ok.error());
  }
  return checked;
}

Result<Trial> TrialOnGpu(const Shape& shape, Part part) {
  auto trial = PartTrial(Make, ConfigOf(shape), part, 10);
  if (trial) trial->baseline = CopyOnGpu(trial->bytes);
  return trial;
}

Op VirtualOp(const char* name, Part part) {
  Op op = ExchangeOp(name, part, Device::kCuda, ConfigOf);
  op.backend = "virtual ranks";
  op.baseline = "copy of the rows";
  op.shapes = {{{"nodes", 1}, {"locals", 4}, {"tokens", 512}, {"hidden", 7168}, {"sms_a_rank", 20}},
               {{"nodes", 2}, {"locals", 4}, {"tokens", 512}, {"hidden", 7168}, {"sms_a_rank", 8}}};
  op.check = CheckOnGpu;
  op.trial = [part](const Shape& shape, int) { return TrialOnGpu(shape, part); };
  return op;
}

}  // namespace

std::vector<Op> CudaExchangeOps() {
  return {VirtualOp("dispatch", Part::kDispatch), VirtualOp("combine", Part::kCombine)};
}

}  // namespace pipescope::kernels::bench
