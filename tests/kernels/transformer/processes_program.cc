// One process of a job that trains under schedules; the first one holds what all of them made
// against one rank: losses, gradients and weights, to the bit.
//
//   processes_program LIBRARY train REPLICAS EXPERT_RANKS SCHEDULE...
//
// Or one in which rank 1 goes wrong in the first exchange of rows of its third action:
//
//   processes_program LIBRARY dies|fails|hangs REPLICAS EXPERT_RANKS SCHEDULE
#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <thread>

#include "kernels/executor/keeper.h"
#include "kernels/executor/processes.h"
#include "schedules/registry.h"
#include "tests/kernels/transformer/runs.h"

namespace pipescope::transformer {
namespace {

bool Same(const Outcome& a, const Outcome& b) {
  return a.losses == b.losses && a.gradients == b.gradients && a.weights == b.weights;
}

class WrongInExchange : public executor::RankWork {
 public:
  WrongInExchange(std::unique_ptr<executor::RankWork> work, std::string how)
      : work_(std::move(work)), how_(std::move(how)) {}
  const std::vector<timeline::Label>& labels() const override { return work_->labels(); }
  executor::Steps Plan(const schedules::Action& action, executor::Ports& ports) override {
    executor::Steps steps = work_->Plan(action, ports);
    if (++actions_ != 3) return steps;
    for (executor::Step& step : steps.list) {
      if (step.lane != timeline::Lane::kCommunication) continue;
      step.run = [this]() -> Status {
        if (how_ == "dies") std::raise(SIGKILL);
        if (how_ == "hangs") std::this_thread::sleep_for(std::chrono::minutes(2));
        return Fail("no more memory");
      };
      break;
    }
    return steps;
  }
  executor::Steps StepEnd() override { return work_->StepEnd(); }

 private:
  std::unique_ptr<executor::RankWork> work_;
  const std::string how_;
  int actions_ = 0;
};

ModelConfig ModelOf(int expert_ranks) {
  ModelConfig model = FindModel("micro").value();
  model.layers = 8;
  model.expert_groups = expert_ranks;
  return model;
}

int GoWrong(executor::ProcessCrew& crew, const std::string& how, int replicas, int expert_ranks,
            const schedules::Schedule& one) {
  const schedules::Schedule schedule = Replicate(one, replicas);
  Training training;
  training.model = ModelOf(expert_ranks);
  training.stages = schedule.stages;
  training.microbatches = schedule.microbatches;
  training.replicas = replicas;
  training.expert_ranks = expert_ranks;
  auto works = std::move(*MakeRanks(training, schedule, crew));
  if (crew.RanksOf(schedule.ranks).front() == 1) {
    works[0] = std::make_unique<WrongInExchange>(std::move(works[0]), how);
  }
  const auto run = crew.RunStep(schedule, works);
  crew.EndIfStopped();
  return run ? 0 : 3;
}

int Main(const std::vector<std::string>& words) {
  const auto number = [](const char* name) { return std::atoi(std::getenv(name)); };
  const executor::ProcessPlace place{number("OMPI_COMM_WORLD_RANK"), number("OMPI_COMM_WORLD_SIZE"),
                                     number("OMPI_COMM_WORLD_LOCAL_SIZE")};
  auto* const vigil = executor::StartKept(place.rank).value();
  const auto crew =
      std::move(executor::ProcessCrew::Join(
                    place, {words[1], std::chrono::seconds(words[2] == "train" ? 30 : 3)}, *vigil)
                    .value());
  const int replicas = std::stoi(words[3]), expert_ranks = std::stoi(words[4]);
  const ModelConfig model = ModelOf(expert_ranks);
  const int ranks = place.ranks / replicas, microbatches = 2 * ranks;
  if (words[2] != "train") {
    return GoWrong(*crew, words[2], replicas, expert_ranks,
                   schedules::Generate(words[5], {ranks, microbatches}).value());
  }
  Outcome expected;
  if (crew->leads()) expected = Train(model, OneRank(microbatches * replicas), 2);
  for (size_t i = 5; i < words.size(); ++i) {
    const auto schedule = schedules::Generate(words[i], {ranks, microbatches}).value();
    const Outcome got = TrainWith(*crew, model, schedule, 2, replicas, expert_ranks);
    if (!crew->leads()) continue;
    fmt::print("{}: {} losses, {} gradients, {}\n", words[i], got.losses.size(),
               got.gradients.size(), Same(got, expected) ? "all equal" : "DIFFERENT");
  }
  return 0;
}

}  // namespace
}  // namespace pipescope::transformer

int main(int argc, char** argv) { return pipescope::transformer::Main({argv, argv + argc}); }
