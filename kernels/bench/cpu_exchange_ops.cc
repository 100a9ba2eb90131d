#include <algorithm>

#include "kernels/bench/check.h"
#include "kernels/bench/cpu_ops.h"
#include "kernels/bench/cpu_timer.h"
#include "kernels/exchange/bench.h"
#include "kernels/exchange/check.h"
#include "kernels/exchange/cpu_exchange.h"

namespace pipescope::kernels::bench {
namespace {

using exchange::Part;

exchange::Config ConfigOf(int nodes, int locals, int hidden, int tokens) {
  exchange::Config config;
  config.nodes = nodes;
  config.locals = locals;
  config.experts = 4 * nodes * locals;
  config.selected = 3;
  config.hidden = hidden;
  config.tokens = tokens;
  config.sms = 4;
  return exchange::WithTunedBuffers(config);
}

Result<Checked> CheckOverThreads(uint64_t seed) {
  Checked checked;
  const auto config = ConfigOf(2, 2, 256, 40);
  for (const exchange::Routing routing : exchange::kRoutings) {
    auto ranks = exchange::CpuExchange::Make(config, {});
    if (!ranks) return Fail(ranks.error());
    const auto result = exchange::CheckExchange(**ranks, config, routing, true, seed);
    if (!result) return Fail(result.error());
    NoteTrue(checked, std::string(NameOf(routing)) + ": " + result->failure,
             result->failure.empty());
  }
  return checked;
}

// One rank's rows copied by one thread are what the bytes cost without a protocol.
Result<Timed> BenchOverThreads(const Shape& shape, Part part) {
  const auto config =
      ConfigOf(static_cast<int>(At(shape, "nodes")), static_cast<int>(At(shape, "locals")),
               static_cast<int>(At(shape, "hidden")), static_cast<int>(At(shape, "tokens")));
  auto ranks = exchange::CpuExchange::Make(config, {});
  if (!ranks) return Fail(ranks.error());
  const auto routing = exchange::Routing::kUniform;
  const auto inputs = DrawInputs(config, routing, false, 1);
  if (auto bench = BenchExchange(**ranks, config, routing, 1, 1); !bench) {
    return Fail(bench.error());
  }
  const auto seconds = (*ranks)->Seconds(part, 5);
  if (!seconds) return Fail(seconds.error());
  const int64_t rows = VolumeOf(config, inputs).rows;
  const int64_t row =
      part == Part::kDispatch ? DispatchRowBytes(config) : 2 * int64_t{config.hidden};
  Timed timed = TimeBesideCopy([] {}, Flops(0), Bytes(2 * rows * row));
  timed.each.clear();
  for (const double s : *seconds) timed.each.push_back(Seconds(s));
  return timed;
}

Op ExchangeOp(const char* name, Part part) {
  Op op = {.name = name,
           .backend = "threads",
           .truth = "a plain program that copies rows",
           .baseline = "memcpy",
           .format = part == Part::kDispatch ? measured::Format::kFp8 : measured::Format::kBf16,
           .shapes = {{{"nodes", 2}, {"locals", 2}, {"tokens", 64}, {"hidden", 7168}}},
           .check = CheckOverThreads};
  op.bench = [part](const Shape& shape, int) { return BenchOverThreads(shape, part); };
  return op;
}

}  // namespace

std::vector<Op> CpuExchangeOps() {
  return {ExchangeOp("dispatch", Part::kDispatch), ExchangeOp("combine", Part::kCombine)};
}

}  // namespace pipescope::kernels::bench
