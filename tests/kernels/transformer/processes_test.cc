// Ranks as processes of a real mpirun train what one rank trains: every loss, gradient and weight,
// to the bit, after two steps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/tools/mpirun.h"

namespace pipescope {
namespace {

using testing::HasSubstr;

std::vector<std::string> Command(const std::vector<std::string>& words) {
  std::vector<std::string> command = {
      std::filesystem::canonical("tests/kernels/transformer/processes_program"),
      std::filesystem::canonical("cli/libpipescope_mpi.so")};
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

void ExpectEqual(int processes, int replicas, int expert_ranks,
                 const std::vector<std::string>& schedules) {
  std::vector<std::string> words = {"train", std::to_string(replicas),
                                    std::to_string(expert_ranks)};
  words.insert(words.end(), schedules.begin(), schedules.end());
  MpiRun run(processes, Command(words));
  const Job job = run.Wait();
  EXPECT_EQ(job.exit, 0) << job.err;
  for (const std::string& name : schedules) {
    EXPECT_THAT(job.out, testing::ContainsRegex(name + ": 2 losses, [0-9]+ gradients, all equal"));
  }
}

// DualPipe, Chimera: two copies on different processes. zbv, interleaved: two stages on each.
const std::vector<std::string> kSchedules = {"gpipe", "1f1b",    "zb1p",     "interleaved-1f1b",
                                             "zbv",   "chimera", "dualpipe", "dualpipev"};

TEST(Processes, TwoEqualOneRank) { ExpectEqual(2, 1, 1, kSchedules); }
TEST(Processes, FourEqualOneRank) { ExpectEqual(4, 1, 1, kSchedules); }
TEST(Processes, TwoPipelinesOfTwoEqualOneRank) { ExpectEqual(4, 2, 1, kSchedules); }
TEST(Processes, FourReplicasOfTheWholeModelEqualOneRank) { ExpectEqual(4, 4, 1, {"1f1b"}); }

// Experts on ranks of their own: pipelines of two with groups of two; four of one with a group of
// four, and with two groups of two.
TEST(Processes, ExpertsOfTheirOwnEqualOneRank) { ExpectEqual(4, 2, 2, kSchedules); }
TEST(Processes, GroupsOfExpertsEqualOneRank) {
  ExpectEqual(4, 4, 4, {"1f1b", "zb1p"});
  ExpectEqual(4, 4, 2, {"1f1b"});
}

// Rank 1 goes wrong in a dispatch, when it has sent its rows to none; rank 3 waits for them. The
// error; exit 1, soon, and nobody left behind.
std::string ErrorInDispatch(const std::string& how) {
  MpiRun run(4, Command({how, "2", "2", "1f1b"}));
  const Job job = run.Wait(std::chrono::seconds(90));
  EXPECT_TRUE(job.EndedWith(1)) << job.exit << job.err;
  EXPECT_EQ(run.Processes(), std::vector<pid_t>());
  return job.err;
}

TEST(Processes, ARankThatDiesInADispatchEndsAllWithItsPlace) {
  EXPECT_THAT(ErrorInDispatch("dies"), HasSubstr("pipescope: error: rank 1, action 3 of 8, 1F1: "
                                                 "its process was ended by signal 9 (Killed)"));
}

TEST(Processes, ARankThatFailsInADispatchEndsAllWithItsPlace) {
  EXPECT_THAT(
      ErrorInDispatch("fails"),
      HasSubstr("pipescope: error: rank 1, action 3 of 8, 1F1: dispatch F: no more memory"));
}

TEST(Processes, ARankThatHangsInADispatchEndsAllWithWhereTheyStand) {
  const std::string error = ErrorInDispatch("hangs");
  EXPECT_THAT(error, HasSubstr("no rank has got anywhere for 3.000 s; they stand at"));
  EXPECT_THAT(error, HasSubstr("rank 1, action 3 of 8, 1F1"));
  EXPECT_THAT(error, HasSubstr("rank 3, action 3 of 8, 1F5"));
}

}  // namespace
}  // namespace pipescope
