// The binary under a real mpirun: validate with a process for each rank, sweep with a share of the
// points for each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "tests/cli/run.h"
#include "tests/tools/mpirun.h"

namespace pipescope::cli {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> Command(const std::vector<std::string>& words) {
  std::vector<std::string> command = {std::filesystem::canonical("cli/pipescope")};
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

std::vector<std::string> Validate(const std::vector<std::string>& more) {
  std::vector<std::string> words = {"validate", "--transport", "mpi", "--model", "micro"};
  words.insert(words.end(), more.begin(), more.end());
  return Command(words);
}

// Until it holds, for half a minute.
bool Soon(const std::function<bool()>& holds) {
  for (int i = 0; i < 3000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

class Mpi : public CliTest {
 protected:
  // Sends the signal to a rank of a job of four that would run for minutes; exit 1, soon, with an
  // error on one line that names the rank, and nobody left behind.
  void ExpectEnded(int rank, int signal, const std::string& why) {
    MpiRun run(4, Validate({"--ranks", "4", "--schedules", "1f1b", "--repetitions", "1000",
                            "--microbatches", "64", "--hang-after", "4", "-o", folder + "/out"}));
    // Every worker and its keeper.
    ASSERT_TRUE(Soon([&] { return run.Processes().size() >= 8; }));
    std::this_thread::sleep_for(std::chrono::seconds(1));
    const auto start = std::chrono::steady_clock::now();
    kill(run.Worker(rank), signal);
    const Job job = run.Wait(std::chrono::seconds(60));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    EXPECT_TRUE(job.EndedWith(1)) << job.exit << job.err;
    EXPECT_LT(took.count(), 20);
    EXPECT_THAT(job.err, testing::ContainsRegex("pipescope: error: rank " + std::to_string(rank) +
                                                ", [^:\n]*: " + why));
    EXPECT_TRUE(Soon([&] { return run.Processes().empty(); }));
    EXPECT_EQ(Made(), std::vector<std::string>());
  }

  void ExpectRefusedByAll(int processes, const std::vector<std::string>& command,
                          const std::string& why) {
    MpiRun run(processes, command);
    const Job job = run.Wait();
    EXPECT_TRUE(job.EndedWith(2)) << job.exit << job.err;
    EXPECT_EQ(job.out, "");
    EXPECT_THAT(job.err, HasSubstr("pipescope: error: " + why));
    const size_t first = job.err.find("pipescope: error");
    EXPECT_EQ(job.err.find("pipescope: error", first + 1), job.err.npos) << job.err;
  }
};

TEST_F(Mpi, ValidateTrainsAsOneRankDoes) {
  MpiRun run(4,
             Validate({"--ranks", "2", "--dp", "2", "--schedules", "1f1b,zb1p,dualpipe",
                       "--repetitions", "1", "--format", "json", "--html", folder + "/page.html"}));
  const Job job = run.Wait();
  ASSERT_EQ(job.exit, 0) << job.err;
  const Json json = Json::parse(job.out);
  EXPECT_EQ(json["transport"], "mpi");
  EXPECT_EQ(json["processes"], 4);
  EXPECT_GT(json["clock_accuracy_s"].get<double>(), 0);
  ASSERT_EQ(json["cases"].size(), 3u);
  for (const Json& c : json["cases"]) {
    EXPECT_EQ(c["equals_one_rank"], true) << c;
    EXPECT_GT(c["predicted_s"].get<double>(), 0);
    EXPECT_GT(c["measured_s"].get<double>(), 0);
    // A system call takes longer than 100 ns, a message less than 10 ms.
    for (const char* end : {"send_s", "receive_s"}) {
      EXPECT_GT(c[end].get<double>(), 1e-7);
      EXPECT_LT(c[end].get<double>(), 1e-2);
    }
  }
  EXPECT_THAT(Read("page.html"), HasSubstr("<html"));
}

// Two pipelines of two ranks that share their experts.
TEST_F(Mpi, ValidateExchangesRowsOfExperts) {
  MpiRun run(4, Validate({"--ranks", "2", "--dp", "2", "--ep", "2", "--schedules", "1f1b,dualpipe",
                          "--repetitions", "1", "--format", "json"}));
  const Job job = run.Wait();
  ASSERT_EQ(job.exit, 0) << job.err;
  const Json json = Json::parse(job.out);
  ASSERT_EQ(json["cases"].size(), 2u);
  for (const Json& c : json["cases"]) {
    EXPECT_EQ(c["expert_ranks"], 2);
    EXPECT_EQ(c["equals_one_rank"], true) << c;
    EXPECT_GT(c["predicted_s"].get<double>(), 0);
  }
}

// Devices that threads play: processes train what one process does, loss by loss.
TEST_F(Mpi, RanksOnDevicesOfTheirOwnTrainAsThoseOfOneProcess) {
  for (const bool replicas : {false, true}) {
    std::vector<std::string> words = {"--device",      "emulated",
                                      "--repetitions", "1",
                                      "--format",      "json",
                                      "--ranks",       replicas ? "2" : "4",
                                      "--dp",          replicas ? "2" : "1",
                                      "--schedules",   replicas ? "zb1p,zbv" : "1f1b,dualpipe"};
    if (replicas) words.insert(words.end(), {"--ep", "2"});
    MpiRun run(4, Validate(words));
    const Job job = run.Wait();
    ASSERT_EQ(job.exit, 0) << job.err;
    std::vector<std::string> alone = {"validate", "--model", "micro"};
    alone.insert(alone.end(), words.begin(), words.end());
    const Ran ran = Run(alone);
    ASSERT_EQ(ran.exit, 0) << ran.err;
    const Json apart = Json::parse(job.out), together = Json::parse(ran.out);
    ASSERT_EQ(apart["cases"].size(), 2u);
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(apart["cases"][i]["equals_one_rank"], true);
      EXPECT_GT(apart["cases"][i]["predicted_s"], 0);
      for (const char* loss : {"first_loss", "last_loss"}) {
        EXPECT_EQ(apart["cases"][i][loss], together["cases"][i][loss]);
      }
    }
  }
}

TEST_F(Mpi, AKilledRankEndsTheJob) {
  ExpectEnded(2, SIGKILL, "its process was ended by signal 9 \\(Killed\\)");
}

TEST_F(Mpi, AStoppedRankEndsTheJob) {
  ExpectEnded(3, SIGSTOP, "has not been heard of for 4\\.000 s");
}

TEST_F(Mpi, AStoppedFirstRankEndsTheJob) {
  ExpectEnded(0, SIGSTOP, "has not been heard of for 4\\.000 s");
}

TEST_F(Mpi, WhatCannotBeRunIsRefusedOnce) {
  ExpectRefusedByAll(3, Validate({"--ranks", "2"}),
                     "--transport mpi: 3 processes were started, but --ranks 2");
  ExpectRefusedByAll(2, Validate({"--layers", "1"}),
                     "gpipe has 2 stages: expected --layers 2 or more");
  ExpectRefusedByAll(2, Validate({"--schedules", "dualpip"}), "");
  // For want of a GPU, of two of them, or of kernels for such a model.
  ExpectRefusedByAll(2, Validate({"--device", "cuda"}), "");
}

// Otherwise each would train all ranks beside the others, and write the same files.
TEST_F(Mpi, ThreadsUnderMpirunAreRefusedOnce) {
  ExpectRefusedByAll(2, Command({"validate", "--model", "micro"}),
                     "--transport threads: mpirun started 2 processes");
  MpiRun one(
      1, Command({"validate", "--model", "micro", "--schedules", "1f1b", "--repetitions", "1"}));
  EXPECT_TRUE(one.Wait().EndedWith(0));
}

TEST_F(Mpi, WithoutMpirunItSaysWhatToDo) {
  ExpectRefused({"validate", "--transport", "mpi"}, {"--transport mpi", "expected mpirun"});
  ExpectRefused({"validate", "--transport", "tcp"}, {"--transport", "mpi"});
}

// MPI is opened where it is asked for, and not before.
TEST_F(Mpi, TheBinaryIsNotLinkedWithMpi) {
  std::ifstream binary("cli/pipescope", std::ios::binary);
  std::ostringstream bytes;
  bytes << binary.rdbuf();
  EXPECT_NE(bytes.str().find("libsimgrid.so"), std::string::npos);  // as one that is
  EXPECT_EQ(bytes.str().find("libmpi.so"), std::string::npos);
}

class MpiSweep : public CliTest {
 protected:
  std::vector<std::string> Sweep(const std::string& option, const std::string& file) {
    return {
        "sweep", Write("small.yaml", SmallExperiment()), "--grid", Grid(), "--jobs", "1", option,
        file};
  }
  // Points enough that a worker can be killed among them.
  static std::string Grid() {
    std::string values = "training.sequence_length=";
    for (int points = 1; points <= kPoints; ++points) {
      values += std::to_string(64 * points) + (points < kPoints ? "," : "");
    }
    return values;
  }
  static constexpr int kPoints = 120;
  Job RunAll(const std::string& option) {
    MpiRun run(3, In(Sweep(option, "shared.jsonl")));
    return run.Wait(std::chrono::seconds(60));
  }
  // mpirun's processes stand where the files are.
  std::vector<std::string> In(std::vector<std::string> words) const {
    std::vector<std::string> command = {"--wdir", folder};
    for (const std::string& word : Command(words)) command.push_back(word);
    return command;
  }
};

TEST_F(MpiSweep, WorkersMakeTheFileOfOneProcessEvenAfterKill9) {
  Write("small_topology.yaml", SmallTopology());
  const Ran alone = Run(Sweep("-o", "alone.jsonl"));
  ASSERT_EQ(alone.exit, 0) << alone.err;
  const std::string expected = Read("alone.jsonl");
  ASSERT_EQ(std::count(expected.begin(), expected.end(), '\n'), kPoints);
  const Job all = RunAll("-o");
  EXPECT_EQ(all.exit, 0) << all.err;
  EXPECT_EQ(Read("shared.jsonl"), expected);

  std::filesystem::remove(folder + "/shared.jsonl");
  MpiRun killed(3, In(Sweep("-o", "shared.jsonl")));
  ASSERT_TRUE(Soon([&] { return killed.Worker(1) != 0 && !Made().empty(); }));
  kill(killed.Worker(1), SIGKILL);
  EXPECT_NE(killed.Wait().exit, 0);
  const Job resumed = RunAll("--resume");
  EXPECT_EQ(resumed.exit, 0) << resumed.err;
  EXPECT_EQ(Read("shared.jsonl"), expected);
}

}  // namespace
}  // namespace pipescope::cli
