// How fast the flow engines share links: all-to-alls with every flow at once, both engines in one
// run. `items_per_second` counts flows; `peak_MB` is the most memory the process has held so far
// above its start, so that only the first of the large cases is sharp.
//
// bazel run -c opt //tests/benchmarks:flow_benchmark
#include <benchmark/benchmark.h>

#include <random>

#include "sim/flow/native_engine.h"
#include "tests/sim/flow/testing.h"

namespace pipescope::flow {
namespace {

constexpr Bandwidth kNic = GigabytesPerSecond(50);

void RunOnNative(benchmark::State& state, const Plan& plan) {
  for (auto _ : state) benchmark::DoNotOptimize(RunNative(plan));
  state.SetItemsProcessed(state.iterations() * plan.batches.front().pattern->batch().size());
}

// From flows to end times, making the classes included.
void BM_AllToAllStar(benchmark::State& state) {
  const int n = static_cast<int>(state.range(0));
  for (auto _ : state) {
    const Plan plan = AllToAll(n, Bytes(1'000'000), kNic);
    benchmark::DoNotOptimize(RunNative(plan));
  }
  state.SetItemsProcessed(state.iterations() * n * (n - 1));
}
BENCHMARK(BM_AllToAllStar)->Arg(64)->Arg(256)->Arg(1024)->Unit(benchmark::kMillisecond);

void BM_AllToAllUnfolded(benchmark::State& state) {
  const int n = static_cast<int>(state.range(0));
  RunOnNative(state, AllToAll(n, Bytes(1'000'000), kNic, Pattern::Fold::kNo));
}
BENCHMARK(BM_AllToAllUnfolded)->Arg(64)->Arg(256)->Arg(1024)->Unit(benchmark::kMillisecond);

void BM_AllToAllRandomSizes(benchmark::State& state) {
  const int n = static_cast<int>(state.range(0));
  FlowBatch flows = AllToAllFlows(n, Bytes(0));
  std::mt19937_64 random(7);
  for (Bytes& bytes : flows.bytes) bytes = Bytes(1 + static_cast<int64_t>(random() % 2'000'000));
  Plan plan;
  plan.network.links.assign(static_cast<size_t>(2 * n), kNic);
  plan.batches.push_back({Duration(0), Pattern::Make(plan.network, std::move(flows))});
  RunOnNative(state, plan);
}
BENCHMARK(BM_AllToAllRandomSizes)->Arg(64)->Arg(256)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace pipescope::flow
