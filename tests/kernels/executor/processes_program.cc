// One process of a job: runs 1F1B with works that count, or in which rank 1 goes wrong.
//
//   processes_program LIBRARY carry|fails|throws|hangs|hangs-late|dies|deadlock|ends|awaits
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "kernels/executor/keeper.h"
#include "kernels/executor/post.h"
#include "kernels/executor/processes.h"
#include "kernels/executor/thread_seconds.h"
#include "schedules/registry.h"
#include "tests/kernels/executor/counting.h"

namespace pipescope::executor {
namespace {

using schedules::Schedule;

int Complain(const Error& error) {
  std::fprintf(stderr, "error: %s\n", error.ToString().c_str());
  return 2;
}

// Runs every family that these ranks can; the leader's timeline must have all its messages.
int Carry(Crew& crew) {
  int families = 0, wrong = 0;
  for (const schedules::Family& family : schedules::Families()) {
    const int ranks = *crew.ranks();
    const auto made = schedules::Generate(family.name, {ranks, 2 * ranks, {}});
    if (!made || made->slices > 1) continue;
    Done done;
    Works works;
    works.push_back(std::make_unique<Counting>(*made, done));
    const auto run = crew.RunStep(*made, works);
    if (!run) return Complain(run.error());
    size_t expected = 0;
    for (const auto& action : made->actions[static_cast<size_t>(crew.RanksOf(ranks).front())]) {
      expected +=
          (schedules::HasForward(action) ? 1 : 0) + (schedules::HasBackward(action) ? 1 : 0);
    }
    size_t passes = 0;
    for (const auto& [what, times] : done.times) passes += std::get<0>(what) == 'W' ? 0 : 1;
    wrong += done.wrong + (passes == expected ? 0 : 1);
    const auto& t = run->timeline;
    for (const timeline::Operation& o : t.operations) {
      if (o.end < o.start) ++wrong;
      if (o.released_by >= 0 && t.operations[static_cast<size_t>(o.released_by)].end > o.start) {
        ++wrong;
      }
    }
    ++families;
  }
  const auto all = crew.Gather(std::to_string(wrong));
  if (!all) return Complain(all.error());
  for (size_t r = 0; r < all->size(); ++r) {
    fmt::print("rank {}: {} families, {} wrong\n", r, families, (*all)[r]);
  }
  return 0;
}

int GoWrong(Crew& crew, int rank, Faulty::How how, const std::string& where) {
  const Schedule schedule = schedules::Generate("1f1b", {*crew.ranks(), 8, {}}).value();
  Done done;
  Works works;
  if (rank == 1) {
    works.push_back(std::make_unique<Faulty>(schedule, done, how, std::chrono::minutes(2), where));
  } else {
    works.push_back(std::make_unique<Counting>(schedule, done));
  }
  if (const auto run = crew.RunStep(schedule, works); !run) return Complain(run.error());
  const Status met = crew.Meet();  // who is through waits, and is heard of
  return met ? 0 : Complain(met.error());
}

int Deadlock(Crew& crew) {
  Schedule schedule;
  schedule.ranks = schedule.stages = schedule.microbatches = 2;
  for (const char* rank : {"0F0 0B0 0F1 0B1", "1F0 1F1 1B0 1B1"}) {
    auto& actions = schedule.actions.emplace_back();
    for (int i = 0; i < 4; ++i) {
      actions.push_back(schedules::ParseToken(std::string_view(rank + 4 * i, 3)).value());
    }
  }
  Done done;
  Works works;
  works.push_back(std::make_unique<Counting>(schedule, done));
  const auto run = crew.RunStep(schedule, works);
  if (run) return 0;
  return crew.leads() ? Complain(run.error()) : 0;
}

// Rank 1 fails outside of a step, while the others wait for it.
int End(Crew& crew, int rank) {
  if (rank == 1) crew.EndFor("rank 1, action 3 of 8, 1F1: no more memory");
  const Status met = crew.Meet();
  return met ? 0 : Complain(met.error());
}

// Each of two ranks waits 20 ms for the other, without work.
int Await(ProcessCrew& crew, int rank) {
  constexpr int32_t kNumber = 1000;
  constexpr auto kPause = std::chrono::milliseconds(20);
  for (int turn = 0; turn < 2; ++turn) {
    if (turn == rank) {
      std::this_thread::sleep_for(kPause);
      if (!crew.post()->Send<char>(1 - rank, kNumber, std::vector<char>(1))) return 2;
      continue;
    }
    const double waited = SecondsWaited(), start = ThreadSeconds();
    if (!crew.post()->Receive<char>(1 - rank, kNumber, true)) return 2;
    const double took = ThreadSeconds() - start, idle = SecondsWaited() - waited;
    // Awake all the time: but for the last look it has waited.
    fmt::print("rank {}: {}\n", rank, idle > 0.9 * took && idle <= took ? "waited" : "worked");
  }
  const Status met = crew.Meet();
  return met ? 0 : Complain(met.error());
}

int Main(const std::string& library, std::string_view mode) {
  const auto number = [](const char* name) { return std::atoi(std::getenv(name)); };
  const ProcessPlace place{number("OMPI_COMM_WORLD_RANK"), number("OMPI_COMM_WORLD_SIZE"),
                           number("OMPI_COMM_WORLD_LOCAL_SIZE")};
  const auto vigil = StartKept(place.rank);
  if (!vigil) return Complain(vigil.error());
  auto crew = ProcessCrew::Join(place, {library, std::chrono::milliseconds(3000)}, *vigil.value());
  if (!crew) return place.rank == 0 ? Complain(crew.error()) : 0;
  if (mode == "carry") return Carry(**crew);
  if (mode == "deadlock") return Deadlock(**crew);
  if (mode == "awaits") return Await(**crew, place.rank);
  if (mode == "ends") {
    const int code = End(**crew, place.rank);
    (*crew)->EndIfStopped();
    return code;
  }
  const int code = GoWrong(**crew, place.rank,
                           mode == "fails"    ? Faulty::How::kFails
                           : mode == "throws" ? Faulty::How::kThrows
                           : mode == "dies"   ? Faulty::How::kDies
                                              : Faulty::How::kHangs,
                           mode == "hangs-late" ? "1B7" : "1F2");
  (*crew)->EndIfStopped();
  return code;
}

}  // namespace
}  // namespace pipescope::executor

int main(int argc, char** argv) {
  return argc == 3 ? pipescope::executor::Main(argv[1], argv[2]) : 2;
}
