// What recording costs a run: a step of the executor with its two readings of the clock and its
// record, against the shortest steps of the models that `validate` runs.
//
//   BM_Record     the clock twice and a record written: what recording adds to a step
//   BM_Step       a whole empty step of the executor, all hands included
//   BM_ModelStep  a step of a model, for the share
//   BM_Training   a whole training step on one rank, recorded and not, in turn: by how many percent
//                 the medians differ, and how well that is known (one standard error)
#include <benchmark/benchmark.h>

#include <chrono>
#include <cmath>

#include "kernels/executor/rank_run.h"
#include "kernels/executor/threads.h"
#include "kernels/transformer/rank.h"
#include "sim/base/quantile.h"

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

class NoMessages : public executor::Transport {
 public:
  Status Send(const executor::MessageName&, executor::Payload) override { return {}; }
  Result<executor::Received> Receive(const executor::MessageName&) override {
    return executor::Received{};
  }
};

// In turn, so that a machine whose speed drifts does so for both.
void BM_Training(benchmark::State& state, const char* name) {
  Training training;
  training.model = FindModel(name).value();
  training.microbatches = 8;
  const schedules::Schedule schedule = OneRank(8);
  const schedules::Flow flow = schedules::BuildFlow(schedule);
  const executor::Routes routes = executor::RoutesOf(schedule, flow);
  const auto works = MakeRanks(training, schedule);
  NoMessages transport;
  executor::Stop stop;
  executor::Standing standing;
  std::vector<double> seconds[2];
  bool first = false;
  for (auto _ : state) {
    first = !first;
    for (const bool records : {first, !first}) {
      const executor::RankTask task{0,          &schedule, &flow,     &routes, works.front().get(),
                                    &transport, &stop,     &standing, records};
      const auto start = std::chrono::steady_clock::now();
      const executor::RankRecord record = executor::RunRank(task);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      seconds[records ? 1 : 0].push_back(took.count());
    }
    state.SetIterationTime(seconds[1].back() + seconds[0].back());
  }
  if (stop.stopped()) state.SkipWithError("the run failed");
  const auto unknown = [&](int i) { return MedianError(seconds[i]); };
  state.counters["percent"] = 100 * (Median(seconds[1]) / Median(seconds[0]) - 1);
  state.counters["uncertain"] = 100 * std::hypot(unknown(0), unknown(1));
}
BENCHMARK_CAPTURE(BM_Training, micro, "micro")->UseManualTime()->Iterations(2000);
BENCHMARK_CAPTURE(BM_Training, tiny, "tiny")->UseManualTime()->Iterations(400);
BENCHMARK_CAPTURE(BM_Training, small, "small")->UseManualTime()->Iterations(60);

}  // namespace
}  // namespace pipescope::transformer
