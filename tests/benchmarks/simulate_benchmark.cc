// How fast DeepSeek-V3's step on 2048 GPUs is predicted: each schedule, and `compare` of all three
// with its report. `items_per_second` counts tasks of the graph.
//
// bazel run -c opt //tests/benchmarks:simulate_benchmark
#include <benchmark/benchmark.h>

#include "reports/html.h"
#include "reports/step_json.h"
#include "reports/step_text.h"
#include "schedules/registry.h"
#include "sim/costs/routing.h"
#include "sim/engine/engine.h"
#include "sim/lowering/lower.h"
#include "sim/simulate.h"

namespace pipescope {
namespace {

const char* const kNames[] = {"1f1b", "zb1p", "dualpipe"};

const Experiment& V3() {
  static const Experiment experiment =
      LoadExperiment("experiments/deepseek_v3_h800.yaml", {"memory.enforce=false"}).value();
  return experiment;
}

void BM_Load(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(LoadExperiment("experiments/deepseek_v3_h800.yaml"));
  }
}
BENCHMARK(BM_Load)->Unit(benchmark::kMillisecond);

void BM_Simulate(benchmark::State& state) {
  const char* name = kNames[state.range(0)];
  size_t tasks = 0;
  for (auto _ : state) tasks += Simulate(V3(), name)->timeline.operations.size();
  state.SetItemsProcessed(static_cast<int64_t>(tasks));
  state.SetLabel(name);
}
BENCHMARK(BM_Simulate)->DenseRange(0, 2)->Unit(benchmark::kMillisecond);

// The same step with every GPU and every flow.
void BM_WholeStep(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Simulate(V3(), "dualpipe", Fidelity::kFlow));
}
BENCHMARK(BM_WholeStep)->Unit(benchmark::kMillisecond)->Iterations(1);

// What `pipescope compare --schedules 1f1b,zb1p,dualpipe` does, files loaded.
void BM_Compare(benchmark::State& state) {
  for (auto _ : state) {
    std::vector<StepResult> results;
    for (const char* name : kNames) results.push_back(std::move(*Simulate(V3(), name)));
    benchmark::DoNotOptimize(reports::CompareText(results, "compare"));
    if (state.range(0) == 0) continue;
    benchmark::DoNotOptimize(reports::CompareJson(results));
    benchmark::DoNotOptimize(reports::HtmlReport(results, {"title", "command", "version"}));
  }
  state.SetLabel(state.range(0) == 0 ? "text" : "text, JSON and HTML");
}
BENCHMARK(BM_Compare)->DenseRange(0, 1)->Unit(benchmark::kMillisecond);

TaskGraph Graph(const char* name) {
  const Experiment& e = V3();
  const auto schedule = schedules::Generate(name, {e.parallel.pipeline, e.microbatches(), {}});
  const auto layout = model::BalancedLayout(e.model, schedule->stages);
  const auto spread = costs::SpreadOf(e.model, e.parallel.expert, e.cluster.node.gpus);
  return Lower(e, *schedule, *layout, *spread);
}

// The engine alone: a task is two events, its start and its end.
void BM_Engine(benchmark::State& state) {
  const TaskGraph graph = Graph(kNames[state.range(0)]);
  for (auto _ : state) benchmark::DoNotOptimize(RunFluid(graph));
  const double events = 2.0 * static_cast<double>(graph.tasks.size());
  state.counters["tasks"] = static_cast<double>(graph.tasks.size());
  state.counters["events_per_second"] =
      benchmark::Counter(events, benchmark::Counter::kIsIterationInvariantRate);
  state.SetLabel(kNames[state.range(0)]);
}
BENCHMARK(BM_Engine)->DenseRange(0, 2)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace pipescope
