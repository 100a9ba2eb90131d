#include "tests/kernels/transformer/runs.h"

#include <gtest/gtest.h>

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

Outcome Train(const ModelConfig& model, const schedules::Schedule& one, int steps, int replicas,
              int expert_ranks) {
  const schedules::Schedule schedule = Replicate(one, replicas);
  Training training;
  training.model = model;
  training.adamw.rate = 3e-3;
  training.stages = schedule.stages;
  training.microbatches = schedule.microbatches;
  training.replicas = replicas;
  training.expert_ranks = expert_ranks;
  const Works works = MakeRanks(training, schedule);
  Outcome outcome;
  for (int step = 0; step < steps; ++step) {
    const auto run = executor::RunOnThreads(schedule, works, {});
    EXPECT_TRUE(run) << (run ? "" : run.error().ToString());
    if (!run) return outcome;
    outcome.losses.push_back(TakeLoss(training, works));
  }
  for (const auto& work : works) {
    for (const auto& [s, stage] : AsRank(work).stages()) {
      for (const Parameter* p : stage->parameters()) {
        Keep(outcome.gradients, p->name(), p->gradient());
        Keep(outcome.weights, p->name(), p->master());
      }
    }
  }
  return outcome;
}

}  // namespace pipescope::transformer
