// What analysis says of a simulated step adds up exactly: bubbles, breakdown, memory, critical
// path.
#include <algorithm>

#include "sim/simulate.h"
#include "sim/timeline/critical_path.h"
#include "tests/sim/testing.h"

namespace pipescope {
namespace {

using timeline::Timeline;

constexpr const char* kSchedules[] = {"gpipe", "1f1b", "zb1p", "dualpipe", "dualpipev"};

std::vector<StepResult> Results() {
  std::vector<StepResult> results;
  for (const char* name : kSchedules) {
    results.push_back(Must(Simulate(MakeExperiment({}), name)));
    Small uneven;
    uneven.layers = 17;
    uneven.dense_layers = 2;
    uneven.mtp_modules = 1;
    uneven.microbatches = 11 + 1;
    uneven.sms = 4;
    uneven.nic_gigabytes = 10;
    results.push_back(Must(Simulate(MakeExperiment(uneven), name)));
  }
  return results;
}

TEST(Bubbles, GapsAndWorkFillEveryRank) {
  for (const StepResult& r : Results()) {
    std::vector<Duration> gaps(static_cast<size_t>(r.timeline.ranks));
    for (const timeline::Gap& gap : r.bubbles.gaps) {
      EXPECT_GT(gap.end, gap.start);
      EXPECT_LE(gap.end, r.timeline.pipeline_end);
      gaps[static_cast<size_t>(gap.rank)] += gap.end - gap.start;
    }
    for (size_t rank = 0; rank < gaps.size(); ++rank) {
      EXPECT_EQ(gaps[rank] + r.bubbles.busy[rank], r.timeline.pipeline_end) << r.schedule;
      EXPECT_EQ(gaps[rank], r.bubbles.per_rank[rank]);
    }
  }
}

TEST(Bubbles, GapsNeverMeetAnAction) {
  for (const StepResult& r : Results()) {
    for (const timeline::Gap& gap : r.bubbles.gaps) {
      const auto [first, last] = r.timeline.rank_actions[static_cast<size_t>(gap.rank)];
      for (int a = first; a < last; ++a) {
        const timeline::ActionSpan& span = r.timeline.actions[static_cast<size_t>(a)];
        EXPECT_TRUE(span.end <= gap.start || span.start >= gap.end);
      }
    }
  }
}

TEST(Bubbles, CausesSumToTheWhole) {
  for (const StepResult& r : Results()) {
    Duration by_cause, per_rank;
    for (const Duration d : r.bubbles.by_cause) {
      EXPECT_GE(d, Duration());
      by_cause += d;
    }
    for (const Duration d : r.bubbles.per_rank) per_rank += d;
    EXPECT_EQ(by_cause, per_rank) << r.schedule;
    EXPECT_NEAR(r.bubbles.makespan_rate, per_rank / (r.timeline.pipeline_end * r.timeline.ranks),
                1e-12);
  }
}

TEST(Breakdown, SevenPartsSumToTheStepOnEveryRank) {
  for (const StepResult& r : Results()) {
    for (const timeline::Breakdown& b : r.breakdown) {
      EXPECT_EQ(b.total(), r.timeline.end) << r.schedule;
      for (const Duration part : {b.forward, b.backward_input, b.backward_weight, b.overlapped,
                                  b.exposed_communication, b.bubble, b.optimizer}) {
        EXPECT_GE(part, Duration());
      }
    }
  }
}

TEST(Overlap, SharesAreWithinTheirWhole) {
  for (const StepResult& r : Results()) {
    for (const timeline::Overlap& o : {r.overlap.steady, r.overlap.whole}) {
      EXPECT_LE(o.communication_hidden, o.communication_busy);
      EXPECT_LE(o.message_hidden, o.message_time);
      EXPECT_GE(o.hidden_share(), 0);
      EXPECT_LE(o.hidden_share(), 1);
    }
    EXPECT_LE(r.overlap.steady.compute_busy, r.overlap.whole.compute_busy);
  }
}

// Alone, F and B hide none of their own dispatches and combines.
TEST(Overlap, OnlyPairsHideAllToAll) {
  const StepResult plain = Must(Simulate(MakeExperiment({}), "1f1b"));
  EXPECT_EQ(plain.overlap.whole.communication_hidden, Duration());
  const StepResult pairs = Must(Simulate(MakeExperiment({}), "dualpipe"));
  EXPECT_GT(pairs.overlap.steady.communication_hidden, Duration());
}

TEST(Memory, IsEmptyAtTheEndAndNeverNegative) {
  for (const StepResult& r : Results()) {
    for (const timeline::MemoryCurve& curve : r.activations) {
      ASSERT_FALSE(curve.points.empty());
      EXPECT_EQ(curve.points.back().activations, Bytes(0)) << r.schedule;
      Bytes peak;
      for (const timeline::MemoryPoint& point : curve.points) {
        EXPECT_GE(point.activations, Bytes(0));
        peak = std::max(peak, point.activations);
      }
      EXPECT_EQ(peak, curve.peak);
    }
  }
}

// Who holds it: all of the peak, by as many micro-batches as the schedule keeps.
TEST(Memory, HoldersAddUpToThePeak) {
  for (const StepResult& r : Results()) {
    for (const timeline::MemoryCurve& curve : r.activations) {
      Bytes held;
      for (const timeline::Holder& holder : curve.held) {
        EXPECT_GT(holder.microbatches, 0) << r.schedule;
        held += holder.bytes;
      }
      EXPECT_EQ(held, curve.peak) << r.schedule;
    }
  }
  const StepResult one = Must(Simulate(MakeExperiment({}), "1f1b"));
  for (size_t r = 0; r < one.activations.size(); ++r) {
    ASSERT_FALSE(one.activations[r].held.empty());
    EXPECT_EQ(one.activations[r].held[0].stage, StageId(static_cast<int>(r)));
    EXPECT_EQ(one.activations[r].held[0].microbatches, 4 - static_cast<int>(r));
  }
}

std::vector<int64_t> PeakChunks(const StepResult& r, int stages) {
  const std::vector<timeline::StageActivations> one(static_cast<size_t>(stages),
                                                    {Bytes(1), Bytes(0)});
  std::vector<int64_t> peaks;
  for (const auto& curve : timeline::ActivationCurves(r.timeline, one)) {
    peaks.push_back(curve.peak.value());
  }
  return peaks;
}

TEST(Memory, PeaksAreTheSchedulesOwn) {
  Small small;
  small.microbatches = 20;
  const Experiment e = MakeExperiment(small);
  EXPECT_THAT(PeakChunks(Must(Simulate(e, "1f1b")), 4), testing::ElementsAre(4, 3, 2, 1));
  EXPECT_THAT(PeakChunks(Must(Simulate(e, "gpipe")), 4), testing::Each(20));
  EXPECT_THAT(PeakChunks(Must(Simulate(e, "dualpipe")), 4), testing::Each(5));
}

TEST(CriticalPath, IsContiguousFromZeroToTheEnd) {
  for (const StepResult& r : Results()) {
    ASSERT_FALSE(r.critical_path.empty());
    Duration at;
    for (const int32_t i : r.critical_path) {
      const timeline::Operation& op = r.timeline.operations[static_cast<size_t>(i)];
      EXPECT_EQ(op.start, at);
      at = op.end;
    }
    EXPECT_EQ(at, r.timeline.end);
    ExpectReleasedExactly(r.timeline);
  }
}

// A timeline by hand: rank 1 waits for a message, works, and waits for the pipeline's end.
TEST(Bubbles, ByHand) {
  Timeline t;
  t.ranks = 2;
  t.labels = {{"work", timeline::OperationKind::kMlp, timeline::Lane::kCompute},
              {"message", timeline::OperationKind::kMessage, timeline::Lane::kPipeline}};
  const auto op = [&](int rank, int label, int action, int by, int from, int to) {
    t.operations.push_back({rank, label, action, by, Duration(from), Duration(to)});
  };
  using schedules::ActionKind;
  const auto action = [&](int rank, ActionKind kind, int first, int from, int to) {
    t.actions.push_back(
        {rank, {kind, StageId(rank), MicrobatchId(0)}, first, 1, Duration(from), Duration(to)});
  };
  op(0, 0, 0, -1, 0, 10);   // F on rank 0
  op(0, 0, 1, 4, 32, 42);   // B on rank 0
  op(0, 1, -1, 0, 10, 12);  // to rank 1
  op(1, 0, 2, 2, 12, 30);   // F and B in one
  op(1, 1, -1, 3, 30, 32);  // back
  action(0, ActionKind::kForward, 0, 0, 10);
  action(0, ActionKind::kBackward, 1, 32, 42);
  action(1, ActionKind::kOverlapped, 3, 12, 30);
  t.rank_actions = {{0, 2}, {2, 3}};
  t.messages = {{2, 0, 1, StageId(0), MicrobatchId(0), false},
                {4, 1, 0, StageId(1), MicrobatchId(0), true}};
  t.pipeline_end = t.end = Duration(42);
  const timeline::Bubbles b = timeline::FindBubbles(t);
  EXPECT_THAT(b.per_rank, testing::ElementsAre(Duration(22), Duration(24)));
  EXPECT_EQ(b.by_cause[0], Duration(22 + 12));  // warm-up: both wait for their first backward
  EXPECT_EQ(b.by_cause[1], Duration(12));       // drain: rank 1 after its last forward
  EXPECT_DOUBLE_EQ(b.makespan_rate, 1 - 38.0 / 84);
}

// Two streams that compute at once, as in a profiler's trace: 0-10 and 4-16 on the one lane, then
// 20-24, in an action of 30.
TEST(Breakdown, AnInstantCountsOnce) {
  Timeline t;
  t.ranks = 1;
  t.labels = {
      {"f", timeline::OperationKind::kMlp, timeline::Lane::kCompute, timeline::Part::kForward},
      {"w", timeline::OperationKind::kMlp, timeline::Lane::kCompute, timeline::Part::kWeightGrad}};
  t.operations = {{0, 0, 0, -1, Duration(0), Duration(10)},
                  {0, 1, 0, -1, Duration(4), Duration(16)},
                  {0, 0, 0, -1, Duration(5), Duration(6)},
                  {0, 0, 0, -1, Duration(20), Duration(24)}};
  t.actions = {{0,
                {schedules::ActionKind::kBackward, StageId(0), MicrobatchId(0)},
                0,
                4,
                Duration(0),
                Duration(30)}};
  t.rank_actions = {{0, 1}};
  t.pipeline_end = t.end = Duration(30);
  const timeline::Breakdown b = timeline::BreakdownByRank(t).front();
  EXPECT_EQ(b.forward, Duration(10 + 4));
  EXPECT_EQ(b.backward_weight, Duration(6));
  EXPECT_EQ(b.exposed_communication, Duration(4 + 6));
  EXPECT_EQ(b.total(), Duration(30));
}

}  // namespace
}  // namespace pipescope
