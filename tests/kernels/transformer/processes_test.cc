// Ranks as processes of a real mpirun train what one rank trains: every loss, gradient and weight,
// to the bit, after two steps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/tools/mpirun.h"

namespace pipescope {
namespace {

void ExpectEqual(int processes, int replicas, int expert_ranks,
                 const std::vector<std::string>& schedules) {
  std::vector<std::string> command = {
      std::filesystem::canonical("tests/kernels/transformer/processes_program"),
      std::filesystem::canonical("cli/libpipescope_mpi.so"), std::to_string(replicas),
      std::to_string(expert_ranks)};
  command.insert(command.end(), schedules.begin(), schedules.end());
  MpiRun run(processes, command);
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

}  // namespace
}  // namespace pipescope
