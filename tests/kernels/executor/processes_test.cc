// The executor with ranks as processes of a real mpirun: every family's order carries every payload
// between them; whatever goes wrong in one of them ends all, with the rank and the action.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/tools/mpirun.h"

namespace pipescope {
namespace {

using testing::HasSubstr;

std::string Built(const std::string& path) { return std::filesystem::canonical(path); }

std::vector<std::string> Command(const std::string& mode, const std::string& library = "") {
  return {Built("tests/kernels/executor/processes_program"),
          library.empty() ? Built("cli/libpipescope_mpi.so") : library, mode};
}

// Its error; exit 1, soon, and nobody left behind.
std::string ErrorOf(const std::string& mode) {
  MpiRun run(4, Command(mode));
  const Job job = run.Wait(std::chrono::seconds(60));
  EXPECT_TRUE(job.EndedWith(1)) << job.exit << job.err;
  EXPECT_EQ(run.Processes(), std::vector<pid_t>());
  EXPECT_LT(job.took.count(), 30);
  return job.err;
}

TEST(Processes, EveryFamilyCarriesEveryPayload) {
  for (const int ranks : {2, 4}) {
    MpiRun run(ranks, Command("carry"));
    const Job job = run.Wait();
    EXPECT_EQ(job.exit, 0) << job.err;
    for (int r = 0; r < ranks; ++r) {
      EXPECT_THAT(job.out, testing::ContainsRegex("rank " + std::to_string(r) +
                                                  ": [12][0-9] families, 0 wrong"));
    }
  }
}

TEST(Processes, AFailureEndsAllWithItsPlace) {
  EXPECT_THAT(ErrorOf("fails"), HasSubstr("pipescope: error: rank 1, action 3 of 16, 1F2: work: "
                                          "the loss is not finite"));
  EXPECT_THAT(ErrorOf("throws"), HasSubstr("pipescope: error: rank 1, action 3 of 16, 1F2: work: "
                                           "no more memory"));
}

TEST(Processes, AFailureOutsideOfAStepEndsAll) {
  EXPECT_THAT(ErrorOf("ends"),
              HasSubstr("pipescope: error: rank 1, action 3 of 8, 1F1: no more memory"));
}

TEST(Processes, WaitingAwakeIsNoWork) {
  MpiRun run(2, Command("awaits"));
  const Job job = run.Wait();
  EXPECT_EQ(job.exit, 0) << job.err;
  EXPECT_THAT(job.out, HasSubstr("rank 0: waited"));
  EXPECT_THAT(job.out, HasSubstr("rank 1: waited"));
}

TEST(Processes, ADeadRankEndsAllWithItsPlace) {
  EXPECT_THAT(ErrorOf("dies"), HasSubstr("pipescope: error: rank 1, action 3 of 16, 1F2: its "
                                         "process was ended by signal 9 (Killed)"));
}

TEST(Processes, AHangEndsAllWithWhereTheyStand) {
  const std::string error = ErrorOf("hangs");
  EXPECT_THAT(error, HasSubstr("no rank has got anywhere for 3.000 s; they stand at"));
  EXPECT_THAT(error, HasSubstr("rank 1, action 3 of 16, 1F2"));
  EXPECT_THAT(error, HasSubstr("rank 3, action 5 of 16, 3F2"));
}

// Ranks that are through with the step don't hide that another one is not.
TEST(Processes, AHangOfOneWhenOthersAreThroughEndsAll) {
  const std::string error = ErrorOf("hangs-late");
  EXPECT_THAT(error, HasSubstr("no rank has got anywhere for 3.000 s; they stand at"));
  EXPECT_THAT(error, HasSubstr("rank 1, action 16 of 16, 1B7"));
}

TEST(Processes, AnOrderThatWouldDeadlockIsRefused) {
  MpiRun run(2, Command("deadlock"));
  const Job job = run.Wait();
  EXPECT_TRUE(job.EndedWith(2)) << job.exit << job.err;
  EXPECT_THAT(job.err, HasSubstr("error: the schedule cannot run"));
  EXPECT_THAT(job.err, HasSubstr("deadlock"));
}

TEST(Processes, AMissingLibraryIsSaid) {
  MpiRun run(2, Command("carry", "/no/such/library.so"));
  const Job job = run.Wait();
  EXPECT_TRUE(job.EndedWith(2)) << job.exit << job.err;
  EXPECT_THAT(job.err, HasSubstr("MPI cannot be opened: /no/such/library.so"));
}

}  // namespace
}  // namespace pipescope
