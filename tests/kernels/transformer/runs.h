// Runs of a model under schedules, and what they leave: losses and gradients by name.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernels/executor/threads.h"
#include "kernels/transformer/rank.h"
#include "schedules/schedule.h"

namespace pipescope::transformer {

struct Outcome {
  std::vector<double> losses;                           // [step], mean over tokens, head and MTP
  std::map<std::string, std::vector<float>> gradients;  // of the last step
  std::map<std::string, std::vector<float>> weights;    // after it
};

// `replicas` pipelines at once, each with the schedule's micro-batches; `expert_ranks` of them
// share their experts.
// The same with a crew's ranks, steps as it runs them; whole where it leads.
Outcome TrainWith(executor::Crew& crew, const ModelConfig& model,
                  const schedules::Schedule& schedule, int steps, int replicas = 1,
                  int expert_ranks = 1);
Outcome Train(const ModelConfig& model, const schedules::Schedule& schedule, int steps,
              int replicas = 1, int expert_ranks = 1);

}  // namespace pipescope::transformer
