// Runs of a model under schedules, and what they leave: losses and gradients by name.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kernels/executor/packed.h"
#include "kernels/executor/threads.h"
#include "kernels/transformer/rank.h"
#include "schedules/schedule.h"

namespace pipescope::transformer {

struct Outcome {
  std::vector<double> losses;                           // [step], mean over tokens, head and MTP
  std::map<std::string, std::vector<float>> gradients;  // of the last step
  std::map<std::string, std::vector<float>> weights;    // after it
};

// Of the ranks that are here, which are of type R: of each parameter name, gradient and weights.
template <class R>
std::string PackParameters(const executor::Works& works) {
  executor::Packer packer;
  const auto put = [&](const auto& values) {
    packer.PutList(std::vector<float>(values.begin(), values.end()));
  };
  for (const auto& work : works) {
    for (const auto& [s, stage] : dynamic_cast<const R&>(*work).stages()) {
      for (const auto* p : stage->parameters()) {
        packer.Put(true);
        packer.PutList(std::vector<char>(p->name().begin(), p->name().end()));
        put(p->gradient());
        put(p->master());
      }
    }
  }
  packer.Put(false);
  return packer.Take();
}

// What ranks are made on: a CPU, or what `maker` says.
struct Made {
  RankMaker* maker = nullptr;
  std::function<std::string(const executor::Works&)> pack = PackParameters<Rank>;
};

// `replicas` pipelines at once, each with the schedule's micro-batches; `expert_ranks` of them
// share their experts.
// The same with a crew's ranks, steps as it runs them; whole where it leads.
Outcome TrainWith(executor::Crew& crew, const ModelConfig& model,
                  const schedules::Schedule& schedule, int steps, int replicas = 1,
                  int expert_ranks = 1, const Made& made = {});
Outcome Train(const ModelConfig& model, const schedules::Schedule& schedule, int steps,
              int replicas = 1, int expert_ranks = 1);

// To the bit.
void ExpectSame(const Outcome& got, const Outcome& expected);

// With the order of every family that has one of this size which the model can run.
void ForEveryFamily(const ModelConfig& model, int ranks, int microbatches,
                    const std::function<void(const schedules::Schedule&)>& test);

}  // namespace pipescope::transformer
