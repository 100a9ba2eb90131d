#include "cli/validate_processes.h"

#include <fmt/format.h>

#include <cstdlib>

#include "cli/verb.h"
#include "kernels/exchange/place.h"
#include "kernels/executor/keeper.h"
#include "kernels/executor/processes.h"
#include "kernels/executor/wire_library.h"

namespace pipescope::cli {
namespace {

using kernels::exchange::Place;

Result<Place> OwnPlace() {
  return kernels::exchange::PlaceOf(
      [](const char* name) -> const char* { return std::getenv(name); });
}

Result<Place> PlaceInJob() {
  auto place = OwnPlace();
  if (place) return place;
  return Fail("--transport mpi: " + place.error().message +
              "; such as mpirun -n 2 pipescope validate --transport mpi");
}

Status CheckJob(const ProcessJob& job, const Place& place) {
  for (const int ranks : job.ranks) {
    const int needed = ranks * job.replicas;
    if (needed == place.ranks) continue;
    return Fail(fmt::format(
        "--transport mpi: {} process{} started, but --ranks {} and --dp {} need {}: "
        "expected mpirun -n {}",
        place.ranks, place.ranks == 1 ? " was" : "es were", ranks, job.replicas, needed, needed));
  }
  return {};
}

// Of what every process finds alike.
int Refuse(const Error& error, int rank) { return rank == 0 ? Complain(error) : kOk; }

}  // namespace

int RunProcessJob(const ProcessJob& job, const std::function<Status(bool first)>& check,
                  const std::function<Status(executor::Crew&)>& measure,
                  const std::function<int()>& show) {
  const auto place = PlaceInJob();
  if (!place) return Complain(place.error());
  if (Status ok = check(place->rank == 0); !ok) return Refuse(ok.error(), place->rank);
  if (Status ok = CheckJob(job, *place); !ok) return Refuse(ok.error(), place->rank);
  const auto vigil = executor::StartKept(place->rank);
  if (!vigil) return Complain(vigil.error());
  const executor::ProcessPlace here{place->rank, place->ranks, place->locals};
  auto crew =
      executor::ProcessCrew::Join(here, {executor::WireLibraryPath(), job.patience}, **vigil);
  if (!crew) return Refuse(crew.error(), place->rank);
  (*vigil)->phase = "between its steps";
  if (const Status measured = measure(**crew); !measured) {
    (*crew)->EndIfStopped();
    return Refuse(measured.error(), place->rank);
  }
  (*vigil)->phase = "the end";
  const int code = place->rank == 0 ? show() : kOk;
  // Until then the others tell the first one that they are there.
  (void)(*crew)->Meet();
  return code;
}

std::optional<int> RefuseInJob() {
  const auto place = OwnPlace();
  if (!place || place->ranks == 1) return {};
  if (place->launcher != "Open MPI" && place->launcher != "Hydra") return {};
  return Refuse({fmt::format("--transport threads: mpirun started {} processes, each of which "
                             "would train all ranks: expected --transport mpi, or no mpirun",
                             place->ranks)},
                place->rank);
}

}  // namespace pipescope::cli
