// What recording costs a run: a step of the executor with its two readings of the clock and its
// record, against the shortest steps of the models that `validate` runs.
//
//   BM_Record     the clock twice and a record written: what recording adds to a step
//   BM_Step       a whole empty step of the executor, all hands included
//   BM_ModelStep  a step of a model, for the share
//   BM_Training   a whole training step on one rank, by processor time, recorded (1) or not (0):
//                 --benchmark_enable_random_interleaving=true --benchmark_repetitions=9
#include <benchmark/benchmark.h>

#include <ctime>

#include "kernels/executor/threads.h"
#include "kernels/transformer/rank.h"

namespace pipescope::transformer {
namespace {

void BM_Record(benchmark::State& state) {
  struct Times {
    std::chrono::steady_clock::time_point start, end;
  };
  std::vector<Times> records(1 << 16);
  size_t i = 0;
  for (auto _ : state) {
    Times& record = records[i++ % records.size()];
    record.start = std::chrono::steady_clock::now();
    benchmark::ClobberMemory();
    record.end = std::chrono::steady_clock::now();
  }
  benchmark::DoNotOptimize(records.data());
}
BENCHMARK(BM_Record);

class Empty : public executor::RankWork {
 public:
  const std::vector<timeline::Label>& labels() const override {
    static const std::vector<timeline::Label> labels(1);
    return labels;
  }
  executor::Steps Plan(const schedules::Action&, executor::Ports&) override {
    executor::Steps steps;
    for (int i = 0; i < 8; ++i) {
      steps.list.push_back({0, timeline::Lane::kCompute, {}, []() -> Status { return {}; }});
    }
    return steps;
  }
  executor::Steps StepEnd() override { return {}; }
};

// Per step of an action of eight.
void BM_Step(benchmark::State& state) {
  const schedules::Schedule schedule = OneRank(500);
  for (auto _ : state) {
    std::vector<std::unique_ptr<executor::RankWork>> works;
    works.push_back(std::make_unique<Empty>());
    const auto run = executor::RunOnThreads(schedule, works, {});
    const auto steps = static_cast<double>(run->timeline.operations.size());
    state.SetIterationTime(run->timeline.end.seconds() / steps);
  }
}
BENCHMARK(BM_Step)->UseManualTime()->Iterations(50);

// Mean time of a step of one rank's training.
void BM_ModelStep(benchmark::State& state, const char* name) {
  Training training;
  training.model = FindModel(name).value();
  training.microbatches = 4;
  const schedules::Schedule schedule = OneRank(4);
  const auto works = MakeRanks(training, schedule);
  for (auto _ : state) {
    const auto run = executor::RunOnThreads(schedule, works, {});
    const auto steps = static_cast<double>(run->timeline.operations.size());
    state.SetIterationTime(run->timeline.end.seconds() / steps);
  }
}
BENCHMARK_CAPTURE(BM_ModelStep, micro, "micro")->UseManualTime()->Iterations(50);
BENCHMARK_CAPTURE(BM_ModelStep, tiny, "tiny")->UseManualTime()->Iterations(30);
BENCHMARK_CAPTURE(BM_ModelStep, small, "small")->UseManualTime()->Iterations(10);

// By the processor time of the process: what others take of the processor does not count.
void BM_Training(benchmark::State& state, const char* name) {
  Training training;
  training.model = FindModel(name).value();
  training.microbatches = 8;
  const schedules::Schedule schedule = OneRank(8);
  const auto works = MakeRanks(training, schedule);
  executor::ThreadOptions options;
  options.records = state.range(0) != 0;
  const auto seconds = [] {
    timespec time = {};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  for (auto _ : state) {
    const double start = seconds();
    const auto run = executor::RunOnThreads(schedule, works, options);
    state.SetIterationTime(seconds() - start);
    if (!run) state.SkipWithError("the run failed");
  }
}
BENCHMARK_CAPTURE(BM_Training, micro, "micro")->Arg(0)->Arg(1)->UseManualTime()->Iterations(40);
BENCHMARK_CAPTURE(BM_Training, tiny, "tiny")->Arg(0)->Arg(1)->UseManualTime()->Iterations(20);
BENCHMARK_CAPTURE(BM_Training, small, "small")->Arg(0)->Arg(1)->UseManualTime()->Iterations(5);

}  // namespace
}  // namespace pipescope::transformer
