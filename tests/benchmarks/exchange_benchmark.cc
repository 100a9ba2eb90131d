// How fast the event model of dispatch and combine is: routing drawn, traffic laid out, events run.
// 24 SMs, 4096 tokens a GPU. `skewed` simulates every GPU of the exchange instead of one.
//
// bazel run -c opt //tests/benchmarks:exchange_benchmark
#include <benchmark/benchmark.h>

#include <algorithm>

#include "sim/exchange/exchange.h"
#include "topology/load.h"

namespace pipescope::exchange {
namespace {

void Run(benchmark::State& state, Direction direction, double skew) {
  const auto cluster = topology::LoadCluster("h800_2048_fat_tree");
  ExchangeCase c;
  c.direction = direction;
  c.gpus = static_cast<int>(state.range(0));
  c.gating.groups = c.gpus / 8;
  c.gating.groups_per_token = std::min(4, c.gating.groups);
  c.gating.skew = skew;
  int64_t events = 0;
  for (auto _ : state) events += RunExchange(*cluster, c, {24}).front().outcome.events;
  state.SetItemsProcessed(events);
}

void Dispatch(benchmark::State& state) { Run(state, Direction::kDispatch, 0); }
void Combine(benchmark::State& state) { Run(state, Direction::kCombine, 0); }
void DispatchSkewed(benchmark::State& state) { Run(state, Direction::kDispatch, 0.5); }

BENCHMARK(Dispatch)->Arg(8)->Arg(64)->Unit(benchmark::kMillisecond);
BENCHMARK(Combine)->Arg(8)->Arg(64)->Unit(benchmark::kMillisecond);
BENCHMARK(DispatchSkewed)->Arg(64)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace pipescope::exchange
