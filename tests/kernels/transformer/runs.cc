#include "tests/kernels/transformer/runs.h"

#include <gtest/gtest.h>

#include "schedules/registry.h"

namespace pipescope::transformer {
namespace {

using Values = std::map<std::string, std::vector<float>>;

// Copies must be equal to the bit.
void Keep(Values& all, const std::string& name, const std::vector<float>& values) {
  const auto [at, is_new] = all.emplace(name, values);
  if (!is_new) {
    EXPECT_EQ(at->second, values) << name;
  }
}

void AddParameters(const std::string& bytes, Outcome& outcome) {
  executor::Unpacker unpacker(bytes);
  while (unpacker.Get<bool>()) {
    const auto letters = unpacker.GetList<char>();
    const std::string name(letters.begin(), letters.end());
    Keep(outcome.gradients, name, unpacker.GetList<float>());
    Keep(outcome.weights, name, unpacker.GetList<float>());
  }
}

}  // namespace

Outcome TrainWith(executor::Crew& crew, const ModelConfig& model, const schedules::Schedule& one,
                  int steps, int replicas, int expert_ranks, const Made& made) {
  const schedules::Schedule schedule = Replicate(one, replicas);
  Training training;
  training.model = model;
  training.adamw.rate = 3e-3;
  training.stages = schedule.stages;
  training.microbatches = schedule.microbatches;
  training.replicas = replicas;
  training.expert_ranks = expert_ranks;
  training.maker = made.maker;
  const auto works = MakeRanks(training, schedule, crew);
  EXPECT_TRUE(works) << (works ? "" : works.error().ToString());
  Outcome outcome;
  if (!works) return outcome;
  for (int step = 0; step < steps; ++step) {
    const auto run = crew.RunStep(schedule, *works);
    EXPECT_TRUE(run) << (run ? "" : run.error().ToString());
    if (!run) return outcome;
    outcome.losses.push_back(TakeLoss(training, *works, crew).value());
  }
  const auto parameters = crew.Gather(made.pack(*works));
  for (const std::string& bytes : parameters.value()) AddParameters(bytes, outcome);
  return outcome;
}

Outcome Train(const ModelConfig& model, const schedules::Schedule& schedule, int steps,
              int replicas, int expert_ranks) {
  executor::ThreadCrew threads;
  return TrainWith(threads, model, schedule, steps, replicas, expert_ranks);
}

void ExpectSame(const Outcome& got, const Outcome& expected) {
  EXPECT_EQ(got.losses, expected.losses);
  ASSERT_EQ(got.gradients.size(), expected.gradients.size());
  for (const auto& [name, gradient] : expected.gradients) {
    EXPECT_EQ(got.gradients.at(name), gradient) << "gradient of " << name;
    EXPECT_EQ(got.weights.at(name), expected.weights.at(name)) << name;
  }
}

void ForEveryFamily(const ModelConfig& model, int ranks, int microbatches,
                    const std::function<void(const schedules::Schedule&)>& test) {
  int families = 0;
  for (const schedules::Family& family : schedules::Families()) {
    const auto schedule = schedules::Generate(family.name, {ranks, microbatches});
    if (!schedule || !CheckRun(model, *schedule)) continue;
    SCOPED_TRACE(family.name);
    test(*schedule);
    ++families;
  }
  EXPECT_GE(families, 15);
}

}  // namespace pipescope::transformer
