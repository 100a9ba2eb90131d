#include "kernels/exchange/place.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>

namespace pipescope::kernels::exchange {
namespace {

constexpr int kMostRanks = 160;  // 20 nodes of 8: config.h

struct Launcher {
  const char* name;
  const char *rank, *ranks, *local, *locals;
};

constexpr Launcher kLaunchers[] = {
    {"by hand", "PIPESCOPE_RANK", "PIPESCOPE_RANKS", "PIPESCOPE_LOCAL_RANK",
     "PIPESCOPE_LOCAL_RANKS"},
    {"Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK",
     "OMPI_COMM_WORLD_LOCAL_SIZE"},
    {"Hydra", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"},
    {"Slurm", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", "SLURM_STEP_TASKS_PER_NODE"},
    {"torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"},
};

Result<int> NumberIn(const Environment& environment, const Launcher& launcher, const char* name,
                     int least, int most) {
  const char* text = environment(name);
  if (text == nullptr) {
    return Fail(fmt::format("{}: is not set, though {} is: expected {}'s environment", name,
                            launcher.rank, launcher.name));
  }
  int value = 0;
  const char* end = text + std::strlen(text);
  const auto [rest, error] = std::from_chars(text, end, value);
  // Slurm's "8(x2)": eight on each of two nodes.
  const bool alike = rest == end || (rest[0] == '(' && end[-1] == ')' && rest[1] == 'x');
  if (error != std::errc() || !alike || value < least || value > most) {
    return Fail(fmt::format("{}: '{}': expected a number from {} to {}, the same on every node",
                            name, text, least, most));
  }
  return value;
}

}  // namespace

Result<Place> PlaceOf(const Environment& environment) {
  for (const Launcher& l : kLaunchers) {
    if (environment(l.rank) == nullptr) continue;
    const auto ranks = NumberIn(environment, l, l.ranks, 1, kMostRanks);
    if (!ranks) return Fail(ranks.error());
    const auto rank = NumberIn(environment, l, l.rank, 0, *ranks - 1);
    if (!rank) return Fail(rank.error());
    const auto locals = NumberIn(environment, l, l.locals, 1, *ranks);
    if (!locals) return Fail(locals.error());
    const auto local = NumberIn(environment, l, l.local, 0, *locals - 1);
    if (!local) return Fail(local.error());
    if (*ranks % *locals != 0 || *rank % *locals != *local) {
      return Fail(
          fmt::format("{}: rank {} of {} is local rank {} of {}: expected ranks that fill "
                      "nodes one after the other, as many on each",
                      l.name, *rank, *ranks, *local, *locals));
    }
    return Place{*rank, *ranks, *local, *locals, l.name};
  }
  return Fail("no rank in the environment: expected mpirun, srun, torchrun, or PIPESCOPE_RANK");
}

}  // namespace pipescope::kernels::exchange
