// What a trace adds up to, against sums made by hand from data/small_trace.json (microseconds):
//   stream 27  combine(B) 10-30 notify, 30-110 dispatch; dispatch(F) 112-132 notify, 132-212
//   dispatch stream 7   attn(F) 12-52, 52-92, 92-100, copy 100-101, unknown 101-102; mlp(B) 112-172
//   stream 23  mlp(B) 150-190
#include "sim/trace/summary.h"

#include <gtest/gtest.h>

#include "sim/trace/read.h"

namespace pipescope::trace {
namespace {

using timeline::Lane;

class Small : public testing::Test {
 protected:
  Small()
      : trace(ReadTrace("tests/sim/trace/data/small_trace.json").value()),
        timeline(TimelineOf(trace).value()),
        summary(Summarize(trace, timeline)) {}
  const PhaseUse& Phase(const std::string& name) {
    for (const PhaseUse& phase : summary.phases) {
      if (phase.name == name) return phase;
    }
    ADD_FAILURE() << name;
    return summary.phases.front();
  }
  Trace trace;
  TracedTimeline timeline;
  Summary summary;
};

TEST_F(Small, StreamsAndOverlap) {
  EXPECT_EQ(summary.span, Microseconds(202));
  EXPECT_EQ(summary.idle, Microseconds(2));
  ASSERT_EQ(summary.streams.size(), 3u);
  EXPECT_EQ(summary.streams[0].stream.number, 7);
  EXPECT_EQ(summary.streams[0].busy, Microseconds(150));
  EXPECT_EQ(summary.streams[1].busy, Microseconds(40));
  EXPECT_EQ(summary.streams[2].stream.lane, Lane::kCommunication);
  EXPECT_EQ(summary.streams[2].busy, Microseconds(200));
  // Streams 7 and 23 together: 12-102 and 112-190, all of it beside communication.
  EXPECT_EQ(summary.overlap.compute_busy, Microseconds(168));
  EXPECT_EQ(summary.overlap.communication_busy, Microseconds(200));
  EXPECT_EQ(summary.overlap.communication_hidden, Microseconds(168));
}

TEST_F(Small, Phases) {
  EXPECT_EQ(Phase("attn(F)").mean, Microseconds(90));
  EXPECT_EQ(Phase("attn(F)").operations, 5);
  EXPECT_EQ(Phase("mlp(B)").mean, Microseconds(78));  // the union, not the sum of 100
  EXPECT_EQ(Phase("combine(B)").mean, Microseconds(100));
  EXPECT_EQ(Phase("combine(B)").lane, Lane::kCommunication);
  EXPECT_EQ(summary.phases.size(), 4u);
}

TEST_F(Small, Classes) {
  ASSERT_EQ(summary.classes.front().operation_class, OperationClass::kDispatch);
  EXPECT_EQ(summary.classes.front().total, Microseconds(160));
  EXPECT_EQ(summary.classes.front().most_blocks, 20);
  Duration sum;
  for (const ClassUse& use : summary.classes) sum += use.total;
  EXPECT_EQ(sum, Microseconds(390));
  EXPECT_EQ(summary.classes.back().most, Microseconds(1));
}

TEST_F(Small, IsOneOverlappedPair) {
  const timeline::Timeline& t = timeline.timeline;
  ASSERT_EQ(t.actions.size(), 1u);
  EXPECT_EQ(t.actions[0].action.kind, schedules::ActionKind::kOverlapped);
  EXPECT_EQ(t.actions[0].end, Microseconds(202));
  EXPECT_EQ(t.labels[0].name, "combine(B) notify");
  EXPECT_EQ(t.labels[0].part, timeline::Part::kInputGrad);
}

TEST(Summary, PhasesThatRecurAreAveraged) {
  Trace trace;
  trace.names = {"k", "mlp(F)"};
  trace.annotations = {{1, 0, Microseconds(0), Microseconds(2)},
                       {1, 0, Microseconds(4), Microseconds(2)}};
  trace.launches = {{1, 0, Microseconds(1)}, {2, 0, Microseconds(5)}};
  for (const int64_t c : {1, 2, 3}) {
    DeviceOperation op;
    op.correlation = c;
    op.start = Microseconds(10 * static_cast<double>(c));
    op.length = Microseconds(static_cast<double>(c));
    trace.operations.push_back(op);
  }
  const TracedTimeline t = TimelineOf(trace).value();
  const Summary summary = Summarize(trace, t);
  ASSERT_EQ(summary.phases.size(), 2u);
  EXPECT_EQ(summary.phases[0].times, 2);
  EXPECT_EQ(summary.phases[0].mean, Microseconds(1.5));
  EXPECT_EQ(summary.phases[0].least, Microseconds(1));
  EXPECT_EQ(summary.phases[1].name, "");
  EXPECT_EQ(t.timeline.actions[0].action.kind, schedules::ActionKind::kForward);
  EXPECT_EQ(summary.overlap.communication_busy, Duration());
}

}  // namespace
}  // namespace pipescope::trace
