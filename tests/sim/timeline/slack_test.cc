#include "sim/timeline/slack.h"

#include <algorithm>

#include "sim/simulate.h"
#include "tests/sim/testing.h"

namespace pipescope {
namespace {

using timeline::Timeline;

// The header's example, in tenths of seconds.
TEST(Slack, TimeToSpareBeforeAMessageIsNeeded) {
  Timeline t;
  t.ranks = 2;
  t.labels = {{"F", timeline::OperationKind::kMlp, timeline::Lane::kCompute, {}},
              {"message", timeline::OperationKind::kMessage, timeline::Lane::kPipeline, {}}};
  const auto action = [&](int rank, int stage, int32_t first, Duration start, Duration end) {
    timeline::ActionSpan span;
    span.rank = rank;
    span.action.kind = schedules::ActionKind::kForward;
    span.action.stage = StageId(stage);
    span.action.microbatch = MicrobatchId(0);
    span.first = first;
    span.count = 1;
    span.start = start;
    span.end = end;
    t.actions.push_back(span);
  };
  action(0, 0, 0, Duration(0), Duration(10));
  action(1, 1, 2, Duration(20), Duration(30));
  t.operations = {{0, 0, 0, -1, Duration(0), Duration(10)},
                  {0, 1, -1, 0, Duration(10), Duration(15)},
                  {1, 0, 1, -1, Duration(20), Duration(30)}};
  t.rank_actions = {{0, 1}, {1, 2}};
  t.messages = {{1, 0, 1, StageId(0), MicrobatchId(0), false}};
  t.pipeline_end = t.end = Duration(30);
  EXPECT_EQ(timeline::SlackByAction(t), (std::vector<Duration>{Duration(5), Duration(0)}));
}

// Whatever lies on the critical path has none, and no action more than the time after its end.
TEST(Slack, NoneOnTheCriticalPath) {
  for (const char* name : {"gpipe", "1f1b", "zb1p", "dualpipe", "dualpipev"}) {
    const StepResult r = Must(Simulate(MakeExperiment({}), name));
    const std::vector<Duration> slack = timeline::SlackByAction(r.timeline);
    bool some = false;
    for (size_t a = 0; a < slack.size(); ++a) {
      EXPECT_GE(slack[a], Duration()) << name;
      EXPECT_LE(slack[a], r.timeline.end - r.timeline.actions[a].end) << name;
      some = some || slack[a] > Duration();
    }
    EXPECT_TRUE(some) << name;
    for (const int32_t i : r.critical_path) {
      const int32_t a = r.timeline.operations[static_cast<size_t>(i)].action;
      if (a < 0) continue;
      EXPECT_EQ(slack[static_cast<size_t>(a)], Duration()) << name << " action " << a;
    }
  }
}

}  // namespace
}  // namespace pipescope
