// One process of a job whose ranks have a device each, played by threads; the first one holds what
// all of them made against one rank on a CPU in BF16: losses, gradients and weights, to the bit.
//
//   device_processes_program LIBRARY train JITTER REPLICAS EXPERT_RANKS SCHEDULE...
//
// Or one in which rank 1 has memory for its weights and no more, or not even for them:
//
//   device_processes_program LIBRARY lacks|starves JITTER REPLICAS EXPERT_RANKS SCHEDULE
#include <fmt/format.h>

#include <cstdlib>

#include "kernels/executor/keeper.h"
#include "kernels/executor/processes.h"
#include "kernels/transformer/device/emulation.h"
#include "kernels/transformer/device/rank.h"
#include "schedules/registry.h"
#include "tests/kernels/transformer/runs.h"

namespace pipescope::transformer {
namespace {

using device::DeviceRanks;
using device::Emulation;
using device::EmulationOptions;
using device::LinkName;

bool Same(const Outcome& a, const Outcome& b) {
  return a.losses == b.losses && a.gradients == b.gradients && a.weights == b.weights;
}

ModelConfig ModelOf(int expert_ranks) {
  ModelConfig model = FindModel("micro").value();
  model.layers = 8;
  model.bf16 = true;
  model.expert_groups = expert_ranks;
  return model;
}

int Main(const std::vector<std::string>& words) {
  const auto number = [](const char* name) { return std::atoi(std::getenv(name)); };
  const executor::ProcessPlace place{number("OMPI_COMM_WORLD_RANK"), number("OMPI_COMM_WORLD_SIZE"),
                                     number("OMPI_COMM_WORLD_LOCAL_SIZE")};
  auto* const vigil = executor::StartKept(place.rank).value();
  const auto crew = std::move(
      executor::ProcessCrew::Join(place, {words[1], std::chrono::seconds(30)}, *vigil).value());
  EmulationOptions options;
  options.jitter = static_cast<uint32_t>(std::stoi(words[3]));
  if (words[2] != "train" && place.rank == 1) {
    options.most_bytes = int64_t{words[2] == "lacks" ? 2048 : 64} << 10;
  }
  Emulation emulation(options);
  DeviceRanks devices(
      [&](int rank) { return emulation.Open(rank); }, nullptr,
      [&](const LinkName& name, executor::Post& post) { return emulation.OpenLink(name, post); });
  const int replicas = std::stoi(words[4]), expert_ranks = std::stoi(words[5]);
  const ModelConfig model = ModelOf(expert_ranks);
  const int ranks = place.ranks / replicas, microbatches = 2 * ranks;
  Outcome expected;
  if (crew->leads()) expected = Train(model, OneRank(microbatches * replicas), 2);
  for (size_t i = 6; i < words.size(); ++i) {
    const auto schedule = schedules::Generate(words[i], {ranks, microbatches}).value();
    const Outcome got = TrainWith(*crew, model, schedule, 2, replicas, expert_ranks,
                                  {&devices, PackParameters<device::Rank>});
    crew->EndIfStopped();
    if (!crew->leads()) continue;
    fmt::print("{}: {} losses, {} gradients, {}\n", words[i], got.losses.size(),
               got.gradients.size(), Same(got, expected) ? "all equal" : "DIFFERENT");
  }
  return 0;
}

}  // namespace
}  // namespace pipescope::transformer

int main(int argc, char** argv) { return pipescope::transformer::Main({argv, argv + argc}); }
