// Ranks as processes of a real mpirun, each with a device of its own that threads play: what they
// train equals one rank on a CPU in BF16, to the bit, after two steps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/tools/mpirun.h"

namespace pipescope {
namespace {

using testing::HasSubstr;

std::vector<std::string> Command(const std::vector<std::string>& words) {
  std::vector<std::string> command = {
      std::filesystem::canonical("tests/kernels/transformer/device_processes_program"),
      std::filesystem::canonical("cli/libpipescope_mpi.so")};
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

void ExpectEqual(int processes, int jitter, int replicas, int expert_ranks,
                 const std::vector<std::string>& schedules) {
  std::vector<std::string> words = {"train", std::to_string(jitter), std::to_string(replicas),
                                    std::to_string(expert_ranks)};
  words.insert(words.end(), schedules.begin(), schedules.end());
  MpiRun run(processes, Command(words));
  const Job job = run.Wait();
  EXPECT_EQ(job.exit, 0) << job.err;
  for (const std::string& name : schedules) {
    EXPECT_THAT(job.out, testing::ContainsRegex(name + ": 2 losses, [0-9]+ gradients, all equal"));
  }
}

// DualPipe: two copies on different processes, and messages of both kinds each way. zbv: two stages
// on each, and messages from a rank to itself.
const std::vector<std::string> kSchedules = {"1f1b", "zb1p", "zbv", "dualpipe"};

TEST(DeviceProcesses, TwoEqualOneRank) {
  ExpectEqual(2, 0, 1, 1, kSchedules);
  ExpectEqual(2, 0, 1, 1, {"gpipe", "interleaved-1f1b", "chimera", "dualpipev"});
}
TEST(DeviceProcesses, FourEqualOneRank) { ExpectEqual(4, 0, 1, 1, kSchedules); }
TEST(DeviceProcesses, TwoPipelinesOfTwoEqualOneRank) { ExpectEqual(4, 0, 2, 1, kSchedules); }

// Experts on ranks of their own: pipelines of two with groups of two; four of one with a group of
// four, and with two groups of two.
TEST(DeviceProcesses, ExpertsOfTheirOwnEqualOneRank) {
  ExpectEqual(4, 0, 2, 2, {"zb1p", "dualpipe"});
}
TEST(DeviceProcesses, GroupsOfExpertsEqualOneRank) {
  ExpectEqual(4, 0, 4, 4, {"1f1b"});
  ExpectEqual(4, 3, 4, 2, {"1f1b"});
}

// Kernels and links that stop at random: what only luck keeps, breaks.
TEST(DeviceProcesses, QueuesMayStumble) {
  ExpectEqual(4, 7, 1, 1, {"zbv", "dualpipe"});
  ExpectEqual(4, 5, 2, 2, {"dualpipe"});
}

// In a step, and before there is one.
TEST(DeviceProcesses, ADeviceWithoutMemoryEndsAllWithItsPlace) {
  for (const char* how : {"lacks", "starves"}) {
    MpiRun run(2, Command({how, "0", "1", "1", "gpipe"}));
    const Job job = run.Wait(std::chrono::seconds(60));
    EXPECT_TRUE(job.EndedWith(1)) << job.exit << job.err;
    EXPECT_THAT(job.err, testing::ContainsRegex("pipescope: error: rank 1[,:].*out of memory"));
    EXPECT_EQ(run.Processes(), std::vector<pid_t>());
  }
}

}  // namespace
}  // namespace pipescope
