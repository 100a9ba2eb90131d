#include "kernels/bench/check.h"
#include "kernels/bench/cuda_ops.h"
#include "kernels/cuda/gpu.h"
#include "kernels/exchange/bench.h"
#include "kernels/exchange/check.h"
#include "kernels/exchange/gpu_exchange.h"

namespace pipescope::kernels::bench {
namespace {

using exchange::Part;

// Virtual ranks share one GPU: their SMs together must fit on it, all at once.
exchange::Config ConfigOf(int nodes, int locals, int hidden, int tokens, int sms) {
  exchange::Config config;
  config.nodes = nodes;
  config.locals = locals;
  config.experts = 8 * nodes * locals;
  config.selected = 4;
  config.hidden = hidden;
  config.tokens = tokens;
  config.sms = sms;
  return exchange::WithTunedBuffers(config);
}

Result<Checked> CheckOnGpu(uint64_t seed) {
  Checked checked;
  for (const auto& [nodes, locals] : {std::pair{1, 4}, {4, 1}, {2, 4}}) {
    const auto config = ConfigOf(nodes, locals, 512, 96, 4);
    for (const exchange::Routing routing : exchange::kRoutings) {
      auto ranks = exchange::MakeGpuExchange(config, 1);
      if (!ranks) return Fail(ranks.error());
      const auto result = exchange::CheckExchange(**ranks, config, routing, true, seed);
      if (!result) return Fail(result.error());
      NoteTrue(checked, std::string(NameOf(routing)) + ": " + result->failure,
               result->failure.empty());
    }
  }
  return checked;
}

Result<Timed> BenchOnGpu(const Shape& shape, Part part) {
  const int sms = static_cast<int>(At(shape, "sms_a_rank"));
  const auto config =
      ConfigOf(static_cast<int>(At(shape, "nodes")), static_cast<int>(At(shape, "locals")),
               static_cast<int>(At(shape, "hidden")), static_cast<int>(At(shape, "tokens")), sms);
  auto ranks = exchange::MakeGpuExchange(config, 1);
  if (!ranks) return Fail(ranks.error());
  const auto routing = exchange::Routing::kUniform;
  if (auto all = BenchExchange(**ranks, config, routing, 1, 1); !all) return Fail(all.error());
  auto seconds = (*ranks)->Seconds(part, 11);
  if (!seconds) return Fail(seconds.error());
  const auto inputs = DrawInputs(config, routing, false, 1);
  const int64_t row =
      part == Part::kDispatch ? DispatchRowBytes(config) : 2 * int64_t{config.hidden};
  const Bytes bytes(2 * VolumeOf(config, inputs).rows * row);
  const auto copy = cuda::TimeCopyOnGpu(bytes);
  if (!copy) return Fail(copy.error());
  Timed timed = {{}, copy->each, Flops(0), bytes, sms * config.ranks(), ""};
  for (size_t i = 1; i < seconds->size(); ++i) timed.each.push_back(Seconds((*seconds)[i]));
  return timed;
}

Op ExchangeOp(const char* name, Part part) {
  Op op = {
      .name = name,
      .backend = "virtual ranks",
      .device = Device::kCuda,
      .truth = "a plain program that copies rows",
      .baseline = "copy of the rows",
      .format = part == Part::kDispatch ? measured::Format::kFp8 : measured::Format::kBf16,
      .shapes =
          {{{"nodes", 1}, {"locals", 4}, {"tokens", 512}, {"hidden", 7168}, {"sms_a_rank", 20}},
           {{"nodes", 2}, {"locals", 4}, {"tokens", 512}, {"hidden", 7168}, {"sms_a_rank", 8}}},
      .check = CheckOnGpu};
  op.bench = [part](const Shape& shape, int) { return BenchOnGpu(shape, part); };
  return op;
}

}  // namespace

std::vector<Op> CudaExchangeOps() {
  return {ExchangeOp("dispatch", Part::kDispatch), ExchangeOp("combine", Part::kCombine)};
}

}  // namespace pipescope::kernels::bench
