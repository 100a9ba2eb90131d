// Threads that take turns: first come first served, as many at work as processors, none forgotten.
#include "kernels/turns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <string>
#include <thread>

#include "tests/kernels/turns_testing.h"

namespace pipescope::kernels {
namespace {

// A gate that threads come to one after the other, and leave together.
class Gate {
 public:
  void Come() {
    std::unique_lock lock(mutex_);
    ++there_;
    EXPECT_TRUE(WaitInTurn(lock, [this] { return open_; }));
  }
  void AwaitComing(int count) {
    for (bool there = false; !there; std::this_thread::yield()) {
      const std::lock_guard lock(mutex_);
      there = there_ == count;
    }
  }
  void Open(Turns& turns) {
    {
      const std::lock_guard lock(mutex_);
      open_ = true;
    }
    turns.Tell();
  }

 private:
  std::mutex mutex_;
  int there_ = 0;
  bool open_ = false;
};

// The header's example. What is written needs no lock: one thread at a time.
TEST(Turns, FirstComeFirstServed) {
  Turns turns({Here().front()}, 16);
  Gate gate;
  std::vector<std::string> done;
  std::vector<std::thread> threads;
  for (const char* name : {"A", "B", "C"}) {
    threads.emplace_back([&, name] {
      const Turns::Seat seat(&turns);
      gate.Come();
      done.push_back(name + std::string("1"));
      EXPECT_EQ(OfferTurn(), true);
      done.push_back(name + std::string("2"));
      OfferTurn();
    });
    gate.AwaitComing(static_cast<int>(threads.size()));
  }
  gate.Open(turns);
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(done, testing::ElementsAre("A1", "B1", "C1", "A2", "B2", "C2"));
}

TEST(Turns, NobodyElseIsReadyThenWorkGoesOn) {
  Turns turns({-1}, 16);
  std::thread([&] {
    const Turns::Seat seat(&turns);
    EXPECT_EQ(Turns::Mine(), &turns);
    EXPECT_FALSE(OfferTurn());
  }).join();
}

// The waiting thread's processor is the only one: the other one needs it to say that it is done.
TEST(Turns, WhoWaitsLeavesTheProcessor) {
  Turns turns({Here().back()}, 16);
  std::mutex mutex;
  bool done = false;
  int waited = 0;
  std::thread waits([&] {
    const Turns::Seat seat(&turns);
    std::unique_lock lock(mutex);
    EXPECT_TRUE(WaitInTurn(lock, [&] { return done; }));
    EXPECT_TRUE(lock.owns_lock());
    EXPECT_TRUE(done);
    ++waited;
  });
  std::thread works([&] {
    const Turns::Seat seat(&turns);
    {
      const std::lock_guard lock(mutex);
      done = true;
    }
    TellTurns();
  });
  waits.join();
  works.join();
  EXPECT_EQ(waited, 1);
}

TEST(Turns, WithoutASeatNothingHappens) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  EXPECT_EQ(Turns::Mine(), nullptr);
  EXPECT_FALSE(OfferTurn());
  EXPECT_FALSE(WaitInTurn(lock, [] { return false; }));
  EXPECT_TRUE(lock.owns_lock());
  TellTurns();
  const Turns::Seat none(nullptr);
  EXPECT_FALSE(OfferTurn());
  EXPECT_FALSE(WaitInTurn(lock, [] { return false; }));
}

// A ring of threads hands numbers on; each works on a processor that nobody else has meanwhile.
void Ring(const std::vector<int>& processors, int threads, uint32_t seed) {
  Turns turns(processors, 16);
  std::mutex mutex;  // of what follows
  std::vector<int> passed(static_cast<size_t>(threads), 0);
  std::multiset<int> working;
  size_t most = 0;
  constexpr int kRounds = 60;
  const auto work = [&](std::mt19937& random) {
    {
      const std::lock_guard lock(mutex);
      working.insert(sched_getcpu());
      most = std::max(most, working.size());
      for (const int processor : working) EXPECT_EQ(working.count(processor), 1U);
    }
    volatile uint32_t sum = 0;
    for (auto i = random() % 20'000; i > 0; --i) sum = sum + 1;
    const std::lock_guard lock(mutex);
    EXPECT_EQ(working.erase(sched_getcpu()), 1U);
  };
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&, t] {
      const Turns::Seat seat(&turns);
      std::mt19937 random(seed + static_cast<uint32_t>(t));
      int& own = passed[static_cast<size_t>(t)];
      int& before = passed[static_cast<size_t>((t + threads - 1) % threads)];
      for (int round = 0; round < kRounds; ++round) {
        {
          std::unique_lock lock(mutex);
          // The first thread is a round ahead of the last one.
          WaitInTurn(lock, [&] { return before >= (t == 0 ? round : round + 1); });
        }
        work(random);
        {
          const std::lock_guard lock(mutex);
          ++own;
        }
        TellTurns();
        OfferTurn();
        work(random);
      }
    });
  }
  for (std::thread& thread : all) thread.join();
  EXPECT_EQ(passed, std::vector<int>(static_cast<size_t>(threads), kRounds));
  EXPECT_LE(most, processors.size());
}

TEST(Turns, AsManyWorkAsThereAreProcessorsEachOnOneOfItsOwn) {
  const std::vector<int> here = Here();
  for (const int threads : {2, 3, 7, 16}) {
    SCOPED_TRACE(threads);
    Ring({here.front()}, threads, 1);
    Ring(here, threads, 2);
  }
}

}  // namespace
}  // namespace pipescope::kernels
