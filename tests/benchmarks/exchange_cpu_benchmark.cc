// The exchange among ranks that are threads of this machine's CPU, in DeepEP's bandwidths:
//
//   bazel run -c opt //tests/benchmarks:exchange_cpu_benchmark
//
// Arguments: nodes, GPUs a node, SMs. It tells what the protocol costs beside its copies, not what
// a GPU will do.
#include <benchmark/benchmark.h>

#include "kernels/exchange/bench.h"
#include "kernels/exchange/cpu_exchange.h"

namespace pipescope::kernels::exchange {
namespace {

void Run(benchmark::State& state, Part part) {
  Config g;
  g.nodes = static_cast<int>(state.range(0));
  g.locals = static_cast<int>(state.range(1));
  g.sms = static_cast<int>(state.range(2));
  g.experts = 8 * g.ranks();
  g.selected = 8;
  g.tokens = 256;
  auto exchange = CpuExchange::Make(WithTunedBuffers(g), {});
  if (!exchange) return state.SkipWithError(exchange.error().message.c_str());
  BenchResult last;
  for (auto _ : state) {
    const auto result = BenchExchange(**exchange, g, Routing::kGrouped, 1, 1);
    if (!result) return state.SkipWithError(result.error().message.c_str());
    last = *result;
    const Duration time = part == Part::kNotify     ? last.notify
                          : part == Part::kDispatch ? last.dispatch.time
                                                    : last.combine.time;
    state.SetIterationTime(time.seconds());
  }
  if (part == Part::kNotify) return;
  const Rates& rates = part == Part::kDispatch ? last.dispatch : last.combine;
  state.counters["rdma_gb_s"] = rates.rdma.value() / 1e9;
  state.counters["nvl_gb_s"] = rates.nvl.value() / 1e9;
}

void Sizes(benchmark::internal::Benchmark* benchmark) {
  for (int sms : {2, 4}) benchmark->Args({1, 4, sms})->Args({2, 2, sms})->Args({2, 4, sms});
  benchmark->UseManualTime()->Iterations(3)->Unit(benchmark::kMillisecond);
}

BENCHMARK_CAPTURE(Run, notify, Part::kNotify)->Apply(Sizes);
BENCHMARK_CAPTURE(Run, dispatch, Part::kDispatch)->Apply(Sizes);
BENCHMARK_CAPTURE(Run, combine, Part::kCombine)->Apply(Sizes);

}  // namespace
}  // namespace pipescope::kernels::exchange
