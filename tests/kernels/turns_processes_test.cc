// Processes that take turns on the processors of a machine, by memory that they share.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <new>
#include <vector>

#include "kernels/turns.h"
#include "tests/kernels/turns_testing.h"

namespace pipescope::kernels {
namespace {

// What processes of a test share beside turns.
struct Board {
  std::atomic<int> working = 0, most = 0, crowded = 0;
  std::array<std::atomic<int>, 4> letters = {};
};

Board& NewBoard() {
  void* const memory =
      mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  EXPECT_NE(memory, MAP_FAILED);
  return *new (memory) Board;
}

// Runs `run` in so many processes, which share the turns, and expects that all end well.
template <class Run>
void InProcesses(Turns& turns, int processes, const Run& run) {
  ASSERT_FALSE(turns.path().empty());
  std::vector<pid_t> children;
  for (int process = 0; process < processes; ++process) {
    const pid_t child = fork();
    if (child == 0) {
      const auto opened = Turns::Open(turns.path());
      if (opened == nullptr) _exit(2);
      {
        const Turns::Seat seat(opened.get());
        run(*opened, process);
      }
      _exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
}

// Long enough for others to come in between.
void Work() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(20);
  while (std::chrono::steady_clock::now() < end) {
  }
}

TEST(TurnsOfProcesses, AsManyWorkAsThereAreProcessors) {
  std::vector<int> here = Here();
  here.resize(std::min<size_t>(here.size(), 2));
  Board& board = NewBoard();
  const auto turns = Turns::Make(here, 4, 4, std::chrono::seconds(5));
  ASSERT_NE(turns, nullptr);
  const int processors = static_cast<int>(here.size());
  InProcesses(*turns, 4, [&](Turns&, int) {
    for (int round = 0; round < 500; ++round) {
      const int working = ++board.working;
      if (working > processors) ++board.crowded;
      if (working > board.most) board.most = working;
      Work();
      --board.working;
      OfferTurn();
    }
  });
  EXPECT_EQ(board.crowded, 0);
  EXPECT_EQ(board.most, processors);
}

// Around a ring, on one processor: each waits for the one before, far longer than the test lasts if
// a poke is lost.
TEST(TurnsOfProcesses, WhoIsPokedLooks) {
  Board& board = NewBoard();
  constexpr int kProcesses = 4, kRounds = 300;
  const auto turns = Turns::Make({Here().front()}, kProcesses, kProcesses, std::chrono::hours(1));
  ASSERT_NE(turns, nullptr);
  InProcesses(*turns, kProcesses, [&](Turns& shared, int process) {
    for (int round = 0; round < kRounds; ++round) {
      auto& letters = board.letters[static_cast<size_t>(process)];
      while (process > 0 || round > 0) {
        const uint32_t seen = shared.pokes(process);
        if (letters > 0) break;
        shared.AwaitPoke(process, seen);
      }
      if (process > 0 || round > 0) --letters;
      const int next = (process + 1) % kProcesses;
      ++board.letters[static_cast<size_t>(next)];
      shared.Poke(next);
      OfferTurn();
    }
  });
  EXPECT_EQ(board.letters[0], 1);
  for (size_t i = 1; i < board.letters.size(); ++i) EXPECT_EQ(board.letters[i], 0);
}

// From elsewhere things come without a poke.
TEST(TurnsOfProcesses, WithoutAPokeOneLooksAfterAWhile) {
  Board& board = NewBoard();
  const auto turns = Turns::Make({Here().front()}, 2, 2, std::chrono::microseconds(200));
  ASSERT_NE(turns, nullptr);
  InProcesses(*turns, 2, [&](Turns& shared, int process) {
    if (process == 1) ++board.letters[0];
    while (process == 0 && board.letters[0] == 0) shared.AwaitPoke(0, shared.pokes(0));
  });
  EXPECT_EQ(board.letters[0], 1);
}

TEST(TurnsOfProcesses, OfNoSharedMemoryAreNone) {
  EXPECT_EQ(Turns::Open("no/such/turns"), nullptr);
  EXPECT_EQ(Turns::Open("/dev/null"), nullptr);
}

}  // namespace
}  // namespace pipescope::kernels
