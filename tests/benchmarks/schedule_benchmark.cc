// How fast orders are made, prepared and evaluated; `items_per_second` counts actions.
#include <benchmark/benchmark.h>

#include "schedules/evaluate.h"
#include "schedules/registry.h"

namespace pipescope::schedules {
namespace {

const char* const kNames[] = {"1f1b", "zb-h1", "dualpipe", "dualpipev"};

Schedule Make(const benchmark::State& state) {
  return *Generate(kNames[state.range(0)], {state.range(1), state.range(2), {}});
}

void Count(benchmark::State& state, const Schedule& schedule) {
  int64_t actions = 0;
  for (const auto& rank : schedule.actions) actions += static_cast<int64_t>(rank.size());
  state.SetItemsProcessed(state.iterations() * actions);
  state.SetLabel(schedule.name);
}

void BM_Generate(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Make(state));
  Count(state, Make(state));
}

void BM_Prepare(benchmark::State& state) {
  const Schedule schedule = Make(state);
  for (auto _ : state) benchmark::DoNotOptimize(Prepare(schedule));
  Count(state, schedule);
}

void BM_Evaluate(benchmark::State& state) {
  const Schedule schedule = Make(state);
  const auto prepared = Prepare(schedule);
  Costs costs;
  costs.comm = 0.1;
  Timing timing;
  for (auto _ : state) {
    Evaluate(*prepared, costs, timing);
    benchmark::DoNotOptimize(timing.makespan);
  }
  Count(state, schedule);
}

// The automatic families on 16 ranks with the costs of a 6.2 B model, at a memory limit of so many
// eighths of what 1F1B holds: between 8, where all candidates are tried, and 16, where one of the
// first leaves no bubble.
void BM_Automatic(benchmark::State& state) {
  const bool v = state.range(0) == 1;
  Options options{16, state.range(1)};
  Profile profile;
  profile.costs = {.forward = {v ? 14.4 : 28.8},
                   .input_grad = {v ? 14.4 : 28.8},
                   .weight_grad = {v ? 9.7 : 19.4},
                   .comm = 1.6};
  profile.limit = {(v ? 32 : 16) * static_cast<double>(state.range(2)) / 8};
  options.profile = profile;
  Schedule schedule;
  for (auto _ : state) schedule = *Generate(v ? "zbv-auto" : "zb-auto", options);
  Count(state, schedule);
}

void AutomaticSizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgsProduct({{0, 1}, {48, 128}, {8, 12, 16}})->Unit(benchmark::kMillisecond);
}

void Sizes(benchmark::internal::Benchmark* benchmark) {
  for (int name = 0; name < 4; ++name) {
    benchmark->Args({name, 16, 128});
    benchmark->Args({name, 256, 2048});
  }
}

BENCHMARK(BM_Generate)->Apply(Sizes);
BENCHMARK(BM_Prepare)->Apply(Sizes);
BENCHMARK(BM_Evaluate)->Apply(Sizes);
BENCHMARK(BM_Automatic)->Apply(AutomaticSizes);

}  // namespace
}  // namespace pipescope::schedules
