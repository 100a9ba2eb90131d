// The executor with ranks as threads: every family's order carries every payload where it belongs;
// failures and hangs end the run with the rank and action.
#include "kernels/executor/threads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <thread>

#include "kernels/executor/processors.h"
#include "schedules/registry.h"
#include "schedules/token.h"
#include "tests/kernels/executor/counting.h"

namespace pipescope::executor {
namespace {

using schedules::Schedule;
using testing::HasSubstr;
using timeline::Lane;

Schedule Made(const std::string& name, int ranks, int microbatches) {
  auto made = schedules::Generate(name, {ranks, microbatches, {}});
  EXPECT_TRUE(made) << name << ": " << made.error().ToString();
  return made.value_or(Schedule());
}

std::vector<std::unique_ptr<RankWork>> Counters(const Schedule& schedule, Done& done) {
  std::vector<std::unique_ptr<RankWork>> works;
  for (int r = 0; r < schedule.ranks; ++r) {
    works.push_back(std::make_unique<Counting>(schedule, done));
  }
  return works;
}

void ExpectEverythingOnce(const Schedule& schedule, Done& done) {
  EXPECT_EQ(done.wrong, 0);
  EXPECT_EQ(done.times.size(), static_cast<size_t>(3 * schedule.stages * schedule.microbatches));
  for (const auto& [what, times] : done.times) EXPECT_EQ(times, 1);
}

// Operations lie in their action, follow what released them, and lanes do not overlap.
void ExpectConsistent(const timeline::Timeline& t) {
  std::map<std::pair<int32_t, Lane>, Duration> lane_end;
  for (const timeline::ActionSpan& span : t.actions) {
    for (int32_t i = span.first; i < span.first + span.count; ++i) {
      const timeline::Operation& o = t.operations[static_cast<size_t>(i)];
      EXPECT_LE(span.start, o.start);
      EXPECT_LE(o.start, o.end);
      EXPECT_LE(o.end, span.end);
      Duration& end = lane_end[{o.rank, t.labels[static_cast<size_t>(o.label)].lane}];
      EXPECT_LE(end, o.start);
      end = o.end;
    }
  }
  for (const timeline::Operation& o : t.operations) {
    if (o.released_by < 0) continue;
    EXPECT_LE(t.operations[static_cast<size_t>(o.released_by)].end, o.start);
  }
}

TEST(Threads, EveryFamilyCarriesEveryPayload) {
  int runs = 0;
  for (const schedules::Family& family : schedules::Families()) {
    for (const int ranks : {2, 4, 8}) {
      const int microbatches = 2 * ranks;
      const auto made = schedules::Generate(family.name, {ranks, microbatches, {}});
      if (!made || made->slices > 1) continue;  // families that need other sizes, or slices
      SCOPED_TRACE(std::string(family.name) + " on " + std::to_string(ranks));
      Done done;
      const auto run = RunOnThreads(*made, Counters(*made, done), {});
      ASSERT_TRUE(run) << run.error().ToString();
      ExpectEverythingOnce(*made, done);
      ExpectConsistent(run->timeline);
      ++runs;
    }
  }
  EXPECT_GE(runs, 40);
}

TEST(Threads, SixteenRanksOfDualPipe) {
  const Schedule schedule = Made("dualpipe", 16, 40);
  Done done;
  const auto run = RunOnThreads(schedule, Counters(schedule, done), {});
  ASSERT_TRUE(run) << run.error().ToString();
  ExpectEverythingOnce(schedule, done);
  EXPECT_EQ(run->timeline.messages.size(), static_cast<size_t>(2 * 40 * 15));
}

// As the process would be under `taskset`: all lanes of all ranks take turns.
template <class Work>
void OnOneProcessor(const Work& work) {
  std::thread([&] {
    Bind({Processors().front()});
    work();
  }).join();
}

// Steps of all ranks, which are many more, in the order in which they ran.
void ExpectOneStepAtATime(const timeline::Timeline& t) {
  std::map<Duration, Duration> steps;
  for (const timeline::ActionSpan& span : t.actions) {
    for (int32_t i = span.first; i < span.first + span.count; ++i) {
      const timeline::Operation& o = t.operations[static_cast<size_t>(i)];
      steps[o.start] = std::max(steps[o.start], o.end);
    }
  }
  Duration end;
  for (const auto& [start, its_end] : steps) {
    EXPECT_LE(end, start);
    end = its_end;
  }
}

TEST(Threads, OnOneProcessorAllLanesTakeTurns) {
  for (const char* name : {"1f1b", "zb1p", "dualpipe", "zbv"}) {
    SCOPED_TRACE(name);
    const Schedule schedule = Made(name, 8, 16);
    OnOneProcessor([&] {
      Done done;
      const auto run = RunOnThreads(schedule, Counters(schedule, done), {});
      ASSERT_TRUE(run) << run.error().ToString();
      ExpectEverythingOnce(schedule, done);
      ExpectConsistent(run->timeline);
      ExpectOneStepAtATime(run->timeline);
    });
  }
}

TEST(Threads, WithoutRecordsAllIsDoneAndNothingTold) {
  const Schedule schedule = Made("dualpipe", 4, 8);
  Done done;
  ThreadOptions options;
  options.records = false;
  const auto run = RunOnThreads(schedule, Counters(schedule, done), options);
  ASSERT_TRUE(run) << run.error().ToString();
  ExpectEverythingOnce(schedule, done);
  EXPECT_TRUE(run->timeline.operations.empty());
}

TEST(Threads, AnOrderThatWouldDeadlockIsRefused) {
  Schedule schedule;
  schedule.ranks = schedule.stages = schedule.microbatches = 2;
  for (const char* rank : {"0F0 0B0 0F1 0B1", "1F0 1F1 1B0 1B1"}) {
    auto& actions = schedule.actions.emplace_back();
    for (int i = 0; i < 4; ++i) {
      actions.push_back(schedules::ParseToken(std::string_view(rank + 4 * i, 3)).value());
    }
  }
  Done done;
  const auto run = RunOnThreads(schedule, Counters(schedule, done), {});
  ASSERT_FALSE(run);
  EXPECT_THAT(run.error().ToString(), HasSubstr("deadlock"));
  EXPECT_TRUE(done.times.empty());
}

std::string ErrorOf(Faulty::How how) {
  const Schedule schedule = Made("1f1b", 4, 8);
  Done done;
  auto works = Counters(schedule, done);
  works[1] = std::make_unique<Faulty>(schedule, done, how);
  const auto run = RunOnThreads(schedule, works, {std::chrono::milliseconds(300)});
  EXPECT_FALSE(run);
  return run ? "" : run.error().ToString();
}

TEST(Threads, AFailureEndsTheRunWithItsPlace) {
  EXPECT_EQ(ErrorOf(Faulty::How::kFails),
            "rank 1, action 3 of 16, 1F2: work: the loss is not finite");
  EXPECT_EQ(ErrorOf(Faulty::How::kThrows), "rank 1, action 3 of 16, 1F2: work: no more memory");
}

TEST(Threads, AHangEndsTheRunWithWhereAllStand) {
  OnOneProcessor([] {
    EXPECT_EQ(ErrorOf(Faulty::How::kFails),
              "rank 1, action 3 of 16, 1F2: work: the loss is not finite");
    EXPECT_THAT(ErrorOf(Faulty::How::kHangs), HasSubstr("rank 1, action 3 of 16, 1F2"));
  });
  const std::string error = ErrorOf(Faulty::How::kHangs);
  EXPECT_THAT(error, HasSubstr("no rank has got anywhere for 300.0 ms"));
  EXPECT_THAT(error, HasSubstr("rank 1, action 3 of 16, 1F2"));
  EXPECT_THAT(error, HasSubstr("rank 3, action 5 of 16, 3F2"));
}

}  // namespace
}  // namespace pipescope::executor
