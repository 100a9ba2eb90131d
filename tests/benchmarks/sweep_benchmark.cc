// How fast DeepSeek-V3's step on 2048 GPUs is predicted at many points, as `pipescope sweep` and
// `pipescope plan` do it: the experiment's files are read again at every point, and a point's line
// of JSON is written.
//
// The grid: 5 numbers of micro-batches (60 to 180) x 7 of SMs x 2 of expert-parallel GPUs x 6
// schedules; no point of it is refused. An iteration is a point: times are the mean over whole
// grids. Required are 10 000 points in minutes on 2 cores: 5 minutes are 60 ms of one core a point,
// 30 ms on two threads (limit_ms in speeds.csv).
//
// bazel run -c opt //tests/benchmarks:sweep_benchmark
#include <benchmark/benchmark.h>

#include <numeric>

#include "sim/freed_memory.h"
#include "sim/plan/search.h"
#include "sim/sweep/run.h"

namespace pipescope {
namespace {

constexpr const char* kExperiment = "experiments/deepseek_v3_h800.yaml";

sweep::Sweep V3Sweep() {
  std::vector<sweep::Axis> axes;
  for (const char* axis : {"training.global_batch=7680,11520,15360,19200,23040",
                           "communication.sms=8,12,16,20,24,28,32", "parallel.expert=32,64",
                           "schedule=1f1b,zb1p,zbv,v-half,dualpipe,dualpipev"}) {
    axes.push_back(sweep::ParseGrid(axis).value());
  }
  return {kExperiment, {}, sweep::Grid::Make(std::move(axes)).value()};
}

void RunSweep(benchmark::State& state, int jobs) {
  const sweep::Sweep sweep = V3Sweep();
  std::vector<int64_t> points(static_cast<size_t>(sweep.grid.size()));
  std::iota(points.begin(), points.end(), 0);
  std::string refused;
  const auto done = [&](const SweepPoint& point) {
    if (!point.error.empty()) refused = point.error;
    benchmark::DoNotOptimize(SweepLine(point, "0123456789abcdef"));
    return refused.empty();
  };
  std::atomic<bool> stop = false;
  KeepFreedMemory();
  while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(points.size()))) {
    sweep::RunPoints(sweep, points, jobs, done, stop);
  }
  if (!refused.empty()) state.SkipWithError(refused.c_str());
}

void BM_SweepPoint(benchmark::State& state) { RunSweep(state, 1); }
BENCHMARK(BM_SweepPoint)->Unit(benchmark::kMillisecond);

void BM_SweepPointOnTwoThreads(benchmark::State& state) { RunSweep(state, 2); }
BENCHMARK(BM_SweepPointOnTwoThreads)->Unit(benchmark::kMillisecond)->UseRealTime();

// 1680 plans, most of which are left out by their bounds and their memory.
void BM_Plan(benchmark::State& state) {
  plan::Question question;
  question.experiment = kExperiment;
  question.space.pipeline = {8, 16, 32};
  question.space.expert = {32, 64};
  question.space.tensor = {1};
  question.space.micro_batch = {1, 2};
  PlanCounts counts;
  KeepFreedMemory();
  for (auto _ : state) {
    const auto report = plan::Search(question);
    if (!report) {
      state.SkipWithError(report.error().ToString().c_str());
      return;
    }
    counts = report->counts;
  }
  state.counters["considered"] = static_cast<double>(counts.considered);
  state.counters["simulated"] = static_cast<double>(counts.simulated);
}
BENCHMARK(BM_Plan)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace pipescope
