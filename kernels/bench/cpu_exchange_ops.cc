#include "kernels/bench/cpu_ops.h"
#include "kernels/bench/cpu_timer.h"
#include "kernels/bench/exchange_op.h"
#include "kernels/exchange/cpu_exchange.h"

namespace pipescope::kernels::bench {
namespace {

using exchange::Config;
using exchange::Part;

Result<std::unique_ptr<exchange::Exchange>> Make(const Config& config) {
  return exchange::CpuExchange::Make(config, {});
}

Config ConfigOf(const Shape& shape) {
  Config config = SizedAs({}, shape);
  config.experts = 4 * config.ranks();
  config.selected = 3;
  config.sms = static_cast<int>(At(shape, "sms_a_rank"));  // threads, of two roles each
  return exchange::WithTunedBuffers(config);
}

Result<Checked> CheckOverThreads(uint64_t seed) {
  Checked checked;
  const Config config =
      ConfigOf({{"nodes", 2}, {"locals", 2}, {"hidden", 256}, {"tokens", 40}, {"sms_a_rank", 4}});
  if (auto ok = NoteRoutings(checked, Make, config, seed); !ok) return Fail(ok.error());
  return checked;
}

// One rank's rows copied by one thread are what the bytes cost without a protocol.
Result<Trial> TrialOverThreads(const Shape& shape, Part part) {
  auto trial = PartTrial(Make, ConfigOf(shape), part, 9);
  if (trial) trial->baseline = CopyOnCpu(trial->bytes);
  return trial;
}

Op ThreadsOp(const char* name, Part part) {
  Op op = ExchangeOp(name, part, Device::kCpu, ConfigOf);
  op.backend = "threads";
  op.baseline = "memcpy";
  op.shapes = {{{"nodes", 2}, {"locals", 2}, {"tokens", 64}, {"hidden", 7168}, {"sms_a_rank", 4}}};
  op.check = CheckOverThreads;
  op.trial = [part](const Shape& shape, int) { return TrialOverThreads(shape, part); };
  return op;
}

}  // namespace

std::vector<Op> CpuExchangeOps() {
  return {ThreadsOp("dispatch", Part::kDispatch), ThreadsOp("combine", Part::kCombine)};
}

}  // namespace pipescope::kernels::bench
