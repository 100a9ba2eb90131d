// One process of a job that trains under schedules; the first one holds what all of them made
// against one rank: losses, gradients and weights, to the bit.
//
//   processes_program LIBRARY REPLICAS EXPERT_RANKS SCHEDULE...
#include <fmt/format.h>

#include <cstdlib>

#include "kernels/executor/keeper.h"
#include "kernels/executor/processes.h"
#include "schedules/registry.h"
#include "tests/kernels/transformer/runs.h"

namespace pipescope::transformer {
namespace {

bool Same(const Outcome& a, const Outcome& b) {
  return a.losses == b.losses && a.gradients == b.gradients && a.weights == b.weights;
}

int Main(const std::vector<std::string>& words) {
  const auto number = [](const char* name) { return std::atoi(std::getenv(name)); };
  const executor::ProcessPlace place{number("OMPI_COMM_WORLD_RANK"), number("OMPI_COMM_WORLD_SIZE"),
                                     number("OMPI_COMM_WORLD_LOCAL_SIZE")};
  auto* const vigil = executor::StartKept(place.rank).value();
  const auto crew = std::move(
      executor::ProcessCrew::Join(place, {words[1], std::chrono::seconds(30)}, *vigil).value());
  const int replicas = std::stoi(words[2]), expert_ranks = std::stoi(words[3]);
  ModelConfig model = FindModel("micro").value();
  model.layers = 8;
  model.expert_groups = expert_ranks;
  const int ranks = place.ranks / replicas, microbatches = 2 * ranks;
  Outcome expected;
  if (crew->leads()) expected = Train(model, OneRank(microbatches * replicas), 2);
  for (size_t i = 4; i < words.size(); ++i) {
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
