// Threads that stay: which one a place finds, where it runs, and that its memory is there again.
#include "kernels/executor/worker.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "kernels/executor/processors.h"
#include "kernels/timing.h"

namespace pipescope::executor {
namespace {

std::thread::id ThreadAt(int place) {
  std::thread::id id;
  Worker(place, [&] { id = std::this_thread::get_id(); }).Join();
  return id;
}

TEST(Worker, APlaceFindsItsThread) {
  const auto first = ThreadAt(0), other = ThreadAt(1);
  EXPECT_NE(first, std::this_thread::get_id());
  EXPECT_NE(first, other);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ThreadAt(0), first);
    EXPECT_EQ(ThreadAt(1), other);
  }
}

TEST(Worker, SeveralAtOnePlaceRunAtOnce) {
  std::atomic<int> there = 0;
  const auto meet = [&] {
    ++there;
    while (there < 3) std::this_thread::yield();
  };
  std::vector<Worker> workers;
  for (int i = 0; i < 3; ++i) workers.emplace_back(5, meet);
  for (Worker& worker : workers) worker.Join();
  EXPECT_EQ(there, 3);
}

TEST(Worker, KnowsItsPlace) {
  EXPECT_EQ(Worker::Place(), 0);
  int place = 0;
  Worker(7, [&] { place = Worker::Place(); }).Join();
  EXPECT_EQ(place, 7);
}

TEST(Worker, RunsWhereItsMakerMayRun) {
  const auto all = Processors();
  if (all.empty()) GTEST_SKIP() << "a machine of more processors than a set holds";
  std::vector<int> seen;
  const auto look = [&] { seen = Processors(); };
  Worker(0, [&] { Bind({all.front()}); }).Join();
  Worker(0, look).Join();
  EXPECT_EQ(seen, all);
  Worker(1, [&] {
    Bind({all.back()});
    Worker(0, look).Join();
  }).Join();
  EXPECT_EQ(seen, std::vector<int>{all.back()});
}

TEST(Worker, JoinsWhenItGoes) {
  bool ran = false;
  {
    Worker first(0, [&] { ran = true; });
    const Worker moved(std::move(first));
  }
  EXPECT_TRUE(ran);
}

// Sanitizers have heaps of their own.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

// As activations of a step: several heaps' worth, of 64 MiB each, in blocks of some MiB.
void HoldMuch() {
  constexpr size_t kMebibyte = size_t{1} << 20;
  std::vector<std::unique_ptr<char[]>> blocks;
  for (size_t i = 0; i < 40; ++i) {
    blocks.push_back(std::make_unique<char[]>((1 + i % 7) * kMebibyte));  // all zero: written
    asm volatile("" : : "r"(blocks.back().get()) : "memory");
  }
}

int64_t PageFaults() {
  rusage use = {};
  getrusage(RUSAGE_SELF, &use);
  return use.ru_minflt;
}

TEST(Worker, FindsItsMemoryAgain) {
  kernels::KeepMemory();
  const auto step = [] {
    std::vector<Worker> workers;
    for (const int place : {0, 1}) workers.emplace_back(place, HoldMuch);
    for (Worker& worker : workers) worker.Join();
  };
  step();
  const int64_t before = PageFaults();
  for (int i = 0; i < 5; ++i) step();
  // The first step takes 80 thousand; where blocks land may change once more after it.
  EXPECT_LT(PageFaults() - before, 8000);
}

#endif

}  // namespace
}  // namespace pipescope::executor
