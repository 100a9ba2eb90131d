// How fast the flow engines share links: all-to-alls with every flow at once, both engines in one
// run. Native times are from the list of flows to all end times, finding classes included; SimGrid
// is the reference engine and includes the start of its process. `items_per_second` counts flows,
// `peak_MB` is the most memory held above what was held before (of this process, so not SimGrid's).
//
//   star      each rank has an uplink and a downlink, 50 GB/s
//   fat tree  and 8 ranks share a leaf of 8 cables to as many spines; the spine is chosen by the
//             destination, so that nothing is over-subscribed
//   groups    8 all-to-alls of 64 ranks, ranks of a group spread over the leaves
//
// SimGrid is left out above 4032 flows at once: 65 280 take it a minute, and it grows as their
// power 2.4. There it carries an all-to-all as one parallel task.
//
// bazel run -c opt //tests/benchmarks:flow_benchmark
#include <benchmark/benchmark.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <string>

#include "sim/flow/native_engine.h"
#include "sim/flow/simgrid_engine.h"
#include "tests/sim/flow/testing.h"

namespace pipescope::flow {
namespace {

constexpr Bandwidth kNic = GigabytesPerSecond(50);
constexpr Bytes kMessage = Bytes(1'000'000);

double Megabytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field)) return std::stod(line.substr(field.size() + 1)) / 1024;
  }
  return 0;
}

// Runs and counts; the peak is of the last iteration.
template <class F>
void Measure(benchmark::State& state, int64_t flows, F run) {
  double peak = 0;
  for (auto _ : state) {
    state.PauseTiming();
    std::ofstream("/proc/self/clear_refs") << "5";  // starts the peak anew
    const double before = Megabytes("VmRSS:");
    state.ResumeTiming();
    run();
    state.PauseTiming();
    peak = Megabytes("VmHWM:") - before;
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * flows);
  state.counters["peak_MB"] = peak;
}

// `groups` all-to-alls; rank r is of group r % groups.
Plan FatTree(int ranks, int groups, Pattern::Fold fold = Pattern::Fold::kYes) {
  constexpr int kLeaf = 8;
  const int leaves = ranks / kLeaf;
  Plan plan;
  // Up and down of ranks, then of each leaf's cables.
  plan.network.links.assign(static_cast<size_t>(2 * ranks + 2 * leaves * kLeaf), kNic);
  for (int g = 0; g < groups; ++g) {
    FlowBatch batch;
    for (int32_t from = g; from < ranks; from += groups) {
      for (int32_t to = g; to < ranks; to += groups) {
        if (from == to) continue;
        const int32_t up = 2 * ranks + from / kLeaf * kLeaf + to % kLeaf;
        const int32_t down = 2 * ranks + leaves * kLeaf + to / kLeaf * kLeaf + to % kLeaf;
        const int32_t near[] = {from, ranks + to};
        const int32_t far[] = {from, up, down, ranks + to};
        if (from / kLeaf == to / kLeaf) {
          batch.Add(near, kMessage);
        } else {
          batch.Add(far, kMessage);
        }
      }
    }
    plan.batches.push_back({Duration(0), Pattern::Make(plan.network, std::move(batch), fold)});
  }
  return plan;
}

Plan Star(int ranks, int groups) {
  Plan plan;
  plan.network.links.assign(static_cast<size_t>(2 * ranks), kNic);
  for (int32_t g = 0; g < groups; ++g) {
    FlowBatch batch;
    for (int32_t from = g; from < ranks; from += groups) {
      for (int32_t to = g; to < ranks; to += groups) {
        const int32_t route[] = {from, ranks + to};
        if (from != to) batch.Add(route, kMessage);
      }
    }
    plan.batches.push_back({Duration(0), Pattern::Make(plan.network, std::move(batch))});
  }
  return plan;
}

// All of a plan's flows with sizes of their own, none folded by size.
Plan RandomSizes(const Plan& equal) {
  std::mt19937_64 random(7);
  Plan plan = {equal.network, {}, {}};
  for (const TimedBatch& b : equal.batches) {
    FlowBatch flows = b.pattern->batch();
    for (Bytes& bytes : flows.bytes) bytes = Bytes(1 + static_cast<int64_t>(random() % 2'000'000));
    plan.batches.push_back({b.start, Pattern::Make(plan.network, std::move(flows))});
  }
  return plan;
}

int64_t FlowsOf(const Plan& plan) {
  int64_t flows = 0;
  for (const TimedBatch& b : plan.batches) flows += b.pattern->batch().size();
  return flows;
}

void RunSimGrid(benchmark::State& state, const Plan& plan, SimGridEngine::Mode mode) {
  Measure(state, FlowsOf(plan), [&] {
    SimGridEngine engine(plan, mode);
    benchmark::DoNotOptimize(RunPlan(plan, engine));
  });
}

void BM_NativeStar(benchmark::State& state) {
  const int n = static_cast<int>(state.range(0));
  const int groups = static_cast<int>(state.range(1));
  Measure(state, int64_t{n} * (n / groups - 1),
          [&] { benchmark::DoNotOptimize(RunNative(Star(n, groups))); });
}
void BM_NativeFatTree(benchmark::State& state) {
  const int n = static_cast<int>(state.range(0));
  const int groups = static_cast<int>(state.range(1));
  Measure(state, int64_t{n} * (n / groups - 1),
          [&] { benchmark::DoNotOptimize(RunNative(FatTree(n, groups))); });
}
// A pattern is made once and added many times: what an all-to-all of a training step costs.
void BM_NativeAgain(benchmark::State& state) {
  const int n = static_cast<int>(state.range(0));
  const Plan plan = FatTree(n, 1);
  NativeEngine engine(plan.network);
  std::vector<Ended> ended;
  for (auto _ : state) {
    engine.Add(plan.batches.front().pattern);
    ended.clear();
    while (engine.Next() < Duration::Max()) engine.AdvanceTo(engine.Next(), ended);
  }
  state.SetItemsProcessed(state.iterations() * n * (n - 1));
}
void BM_NativeUnfolded(benchmark::State& state) {
  const int n = static_cast<int>(state.range(0));
  Measure(state, int64_t{n} * (n - 1),
          [&] { benchmark::DoNotOptimize(RunNative(FatTree(n, 1, Pattern::Fold::kNo))); });
}
void BM_NativeRandomSizesStar(benchmark::State& state) {
  const Plan plan = RandomSizes(Star(static_cast<int>(state.range(0)), 1));
  Measure(state, FlowsOf(plan), [&] { benchmark::DoNotOptimize(RunNative(plan)); });
}
void BM_NativeRandomSizesFatTree(benchmark::State& state) {
  const Plan plan = RandomSizes(FatTree(static_cast<int>(state.range(0)), 1));
  Measure(state, FlowsOf(plan), [&] { benchmark::DoNotOptimize(RunNative(plan)); });
}

void BM_SimGridStar(benchmark::State& state) {
  RunSimGrid(state, Star(static_cast<int>(state.range(0)), 1), SimGridEngine::Mode::kFlows);
}
void BM_SimGridFatTree(benchmark::State& state) {
  RunSimGrid(state, FatTree(static_cast<int>(state.range(0)), 1), SimGridEngine::Mode::kFlows);
}
void BM_SimGridRandomSizesStar(benchmark::State& state) {
  RunSimGrid(state, RandomSizes(Star(static_cast<int>(state.range(0)), 1)),
             SimGridEngine::Mode::kFlows);
}
void BM_SimGridRandomSizesFatTree(benchmark::State& state) {
  RunSimGrid(state, RandomSizes(FatTree(static_cast<int>(state.range(0)), 1)),
             SimGridEngine::Mode::kFlows);
}
void BM_SimGridParallelTask(benchmark::State& state) {
  const int groups = static_cast<int>(state.range(1));
  RunSimGrid(state, Star(static_cast<int>(state.range(0)), groups),
             SimGridEngine::Mode::kParallelTasks);
}

constexpr auto kMs = benchmark::kMillisecond;
BENCHMARK(BM_NativeStar)->Args({64, 1})->Args({512, 8})->Args({1024, 1})->Unit(kMs);
BENCHMARK(BM_NativeFatTree)->Args({64, 1})->Args({512, 8})->Args({1024, 1})->Unit(kMs);
BENCHMARK(BM_NativeAgain)->Arg(64)->Arg(1024)->Unit(kMs);
BENCHMARK(BM_NativeUnfolded)->Arg(64)->Arg(1024)->Unit(kMs);
BENCHMARK(BM_NativeRandomSizesStar)->Arg(32)->Arg(64)->Arg(256)->Unit(kMs);
BENCHMARK(BM_NativeRandomSizesFatTree)->Arg(32)->Arg(64)->Arg(256)->Unit(kMs);
BENCHMARK(BM_SimGridRandomSizesFatTree)->Arg(32)->Unit(kMs)->Iterations(1)->UseRealTime();
BENCHMARK(BM_SimGridStar)->Arg(64)->Unit(kMs)->UseRealTime();
BENCHMARK(BM_SimGridFatTree)->Arg(64)->Unit(kMs)->UseRealTime();
BENCHMARK(BM_SimGridRandomSizesStar)->Arg(32)->Arg(64)->Unit(kMs)->Iterations(1)->UseRealTime();
BENCHMARK(BM_SimGridParallelTask)->Args({64, 1})->Args({512, 8})->Unit(kMs)->UseRealTime();

}  // namespace
}  // namespace pipescope::flow
