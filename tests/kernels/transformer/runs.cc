#include "tests/kernels/transformer/runs.h"

#include <gtest/gtest.h>

#include <thread>

namespace pipescope::transformer {
namespace {

using Works = std::vector<std::unique_ptr<executor::RankWork>>;

const Rank& AsRank(const std::unique_ptr<executor::RankWork>& work) {
  return dynamic_cast<const Rank&>(*work);
}

// Copies must be equal to the bit.
void Keep(std::map<std::string, std::vector<float>>& all, const std::string& name,
          std::span<const float> values) {
  const std::vector<float> copy(values.begin(), values.end());
  const auto [at, is_new] = all.emplace(name, copy);
  if (!is_new) {
    EXPECT_EQ(at->second, copy) << name;
  }
}

}  // namespace

Outcome Train(const ModelConfig& model, const schedules::Schedule& schedule, int steps,
              int replicas) {
  Training training;
  training.model = model;
  training.adamw.rate = 3e-3;
  training.stages = schedule.stages;
  training.microbatches = schedule.microbatches;
  training.replicas = replicas;
  std::vector<Works> works;
  for (int r = 0; r < replicas; ++r) works.push_back(MakeRanks(training, schedule, r));
  Outcome outcome;
  for (int step = 0; step < steps; ++step) {
    std::vector<std::thread> threads;
    for (const Works& of : works) {
      threads.emplace_back([&] {
        const auto run = executor::RunOnThreads(schedule, of, {});
        EXPECT_TRUE(run) << (run ? "" : run.error().ToString());
      });
    }
    for (std::thread& thread : threads) thread.join();
    double loss = 0;
    for (const Works& of : works) loss += TakeLoss(training, of);
    outcome.losses.push_back(loss);
  }
  for (const Works& of : works) {
    for (const auto& work : of) {
      for (const auto& [s, stage] : AsRank(work).stages()) {
        for (const Parameter* p : stage->parameters()) {
          Keep(outcome.gradients, p->name(), p->gradient());
          Keep(outcome.weights, p->name(), p->master());
        }
      }
    }
  }
  return outcome;
}

}  // namespace pipescope::transformer
