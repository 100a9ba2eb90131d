// Rounds: which count, what they hold, what becomes of their times. All clocks are artificial.
#include "kernels/bench/rounds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "kernels/bench/report.h"

namespace pipescope::kernels::bench {
namespace {

using Flags = std::vector<bool>;

TEST(CountedRounds, AreThoseWithBothPacesNearTheBest) {
  EXPECT_EQ(CountedRounds({1.0, 1.0, 1.6, 1.6, 1.1, 1.0, 1.0}, 1.0),
            (Flags{true, false, false, false, true, true}));
  EXPECT_EQ(CountedRounds({1.0, 1.05, 1.0}, 1.0), (Flags{true, true}));
}

TEST(CountedRounds, AreHalfOfThemInASlowState) {
  EXPECT_EQ(CountedRounds({1.6, 1.5, 1.5, 1.7, 1.4, 1.4}, 1.0),
            (Flags{true, true, false, false, true}));
  EXPECT_EQ(CountedRounds({1.6, 1.6}, 1.0), (Flags{true}));
  EXPECT_EQ(CountedRounds({1.6}, 1.0), Flags{});
}

TEST(CountedRounds, AreNeverFewerThanHalfAndNeverWorseThanOneThatDoesNot) {
  std::mt19937_64 random(7);
  for (int trial = 0; trial < 2000; ++trial) {
    std::vector<double> paces(2 + random() % 20);
    for (double& pace : paces) pace = 1 + static_cast<double>(random() % 100) / 100;
    const double best = *std::min_element(paces.begin(), paces.end());
    const Flags counts = CountedRounds(paces, best);
    const auto counted = static_cast<size_t>(std::count(counts.begin(), counts.end(), true));
    EXPECT_GE(2 * counted, counts.size());
    double worst_in = 0, best_out = 10;
    for (size_t i = 0; i < counts.size(); ++i) {
      const double pace = std::max(paces[i], paces[i + 1]);
      if (counts[i]) {
        worst_in = std::max(worst_in, pace);
      } else {
        best_out = std::min(best_out, pace);
      }
    }
    EXPECT_LE(worst_in, best_out);
  }
}

// An operation of one size whose runs take what `time` says of the size and of the round, and that
// counts how often it is made ready.
struct Scripted {
  std::function<Duration(int64_t size, int round)> time = [](int64_t, int) {
    return Microseconds(1);
  };
  int64_t bytes = 8;
  int made = 0;
  std::map<int64_t, int> rounds = {};  // so far, by size

  Result<Trial> Make(int64_t size) {
    ++made;
    if (size == 13) return Fail("13 cannot be");
    Trial trial = {.bytes = Bytes(bytes)};
    trial.kernel = [this, size](const Runs& runs) -> Result<std::vector<Duration>> {
      return std::vector<Duration>(static_cast<size_t>(runs.least), time(size, rounds[size]++));
    };
    trial.baseline = [](const Runs&) -> Result<std::vector<Duration>> {
      return std::vector<Duration>{Microseconds(3)};
    };
    return trial;
  }

  Op op() {
    Op op = {.name = "scripted", .kind = measured::Kind::kMemory};
    op.trial = [this](const Shape& shape, int) { return Make(At(shape, "size")); };
    return op;
  }
};

// Paces one after another; the last one for ever.
Pace Paces(std::vector<double> paces) {
  return [paces, i = size_t{0}]() mutable { return paces[std::min(i++, paces.size() - 1)]; };
}

Shape Sized(int64_t size) { return {{"size", size}}; }

Duration InAProfile(const Op& op, const Timed& timed) {
  BenchReport report;
  report.peaks = {GigabytesPerSecond(1), Teraflops(1), ""};
  report.rows.push_back({op, Sized(1), timed});
  return ProfileOf(report, "").operations[0].times.mean;
}

// Rounds of slow paces do not count though their kernels are the fastest, and rounds of good paces
// count though their kernels are the slowest.
TEST(Rounds, TimesOfKernelsDoNotChoose) {
  Scripted kernel = {[](int64_t size, int round) {
    const bool slow_pace = round == 1 || round == 2;
    return Microseconds(static_cast<double>(size) * (slow_pace ? 1 : round == 3 ? 1000 : 100));
  }};
  Rounds rounds(Paces({1.0, 1.0, 1.6, 1.0, 1.0}), {.least = 5, .most = 12});
  const auto timed = rounds.Time(kernel.op(), {Sized(1), Sized(2)}, 0);
  ASSERT_EQ(timed.size(), 2u);
  for (int64_t size : {1, 2}) {
    const Timed& t = *timed[static_cast<size_t>(size - 1)];
    const auto us = [&](int64_t each) { return Microseconds(static_cast<double>(each * size)); };
    // Seven rounds until five counted: without the second and the third.
    EXPECT_EQ(t.rounds, (std::vector{us(100), us(1000), us(100), us(100), us(100)}));
    EXPECT_EQ(t.each.size(), 15u);
  }
}

TEST(Rounds, EndWithoutAGoodOne) {
  Scripted kernel;
  Rounds rounds(Paces({1.0, 1.6}), {.least = 5, .most = 9});
  const auto timed = rounds.Time(kernel.op(), {Sized(1)}, 0);
  EXPECT_EQ(timed[0]->rounds.size(), 5u);
}

// The best pace is the session's: a second operation in a slow state takes all rounds that it may.
TEST(Rounds, RememberTheBestPace) {
  Scripted kernel;
  Rounds rounds(Paces({1.0, 1.0, 1.6}), {.least = 1, .most = 4});
  EXPECT_EQ(rounds.Time(kernel.op(), {Sized(1)}, 0)[0]->rounds.size(), 1u);
  EXPECT_EQ(rounds.Time(kernel.op(), {Sized(1)}, 0)[0]->rounds.size(), 2u);
}

TEST(Rounds, MakeReadyOnceWhatFits) {
  const auto made = [](int64_t bytes) {
    Scripted kernel = {.bytes = bytes};
    Rounds rounds(Paces({1.0}), {.least = 4, .most = 4, .runs = {}, .held = Bytes(100)});
    EXPECT_TRUE(rounds.Time(kernel.op(), {Sized(1), Sized(2), Sized(3)}, 0)[2]);
    return kernel.made;
  };
  EXPECT_EQ(made(33), 3);
  EXPECT_EQ(made(50), 3 + 4);    // the third one anew for each round
  EXPECT_EQ(made(101), 3 + 12);  // all of them
}

TEST(Rounds, AShapeThatFailsSaysWhy) {
  Scripted kernel;
  Rounds rounds(Paces({1.0}), {});
  const auto timed = rounds.Time(kernel.op(), {Sized(13), Sized(2)}, 0);
  ASSERT_FALSE(timed[0]);
  EXPECT_EQ(timed[0].error().message, "13 cannot be");
  EXPECT_TRUE(timed[1]);
}

TEST(Rounds, TakeTheBaselineWhereItServes) {
  Scripted kernel = {[](int64_t, int) { return Microseconds(5); }};
  for (const bool serves : {false, true}) {
    Op op = kernel.op();
    op.baseline_serves = serves;
    Rounds rounds(Paces({1.0}), {.least = 3, .most = 3});
    const auto timed = rounds.Time(op, {Sized(1)}, 0);
    EXPECT_EQ(timed[0]->baseline_rounds.size(), serves ? 3u : 0u);
    EXPECT_EQ(InAProfile(op, *timed[0]), Microseconds(serves ? 3 : 5));
  }
}

// A profile has the median of the rounds, not the mean of their runs.
TEST(Rounds, AreAMedianInAProfile) {
  Scripted kernel = {[](int64_t, int round) { return Microseconds(round < 3 ? 10 + round : 100); }};
  Rounds rounds(Paces({1.0}), {.least = 5, .most = 5});
  const Op op = kernel.op();
  EXPECT_EQ(InAProfile(op, *rounds.Time(op, {Sized(1)}, 0)[0]), Microseconds(12));
}

TEST(Rounds, AGpuHasOne) {
  Scripted kernel;
  Rounds rounds(Paces({1.0, 9.0}), PlanOf(Device::kCuda));
  EXPECT_EQ(rounds.Time(kernel.op(), {Sized(1)}, 0)[0]->rounds.size(), 1u);
}

}  // namespace
}  // namespace pipescope::kernels::bench
