// What an action is made of, in which order its lanes run, and what travels between ranks.
#include "sim/lowering/lower.h"

#include <algorithm>
#include <map>

#include "sim/engine/engine.h"
#include "sim/lowering/ownership.h"
#include "sim/model/layout.h"
#include "tests/sim/testing.h"

namespace pipescope {
namespace {

using testing::ElementsAre;
using timeline::Lane;

const timeline::Label& LabelOf(const TaskGraph& g, size_t task) {
  return g.labels[static_cast<size_t>(g.templates[static_cast<size_t>(g.tasks[task].templ)].label)];
}

std::vector<std::string> Names(const TaskGraph& g, const timeline::ActionSpan& span, Lane lane) {
  std::vector<std::string> names;
  for (int32_t t = span.first; t < span.first + span.count; ++t) {
    const timeline::Label& label = LabelOf(g, static_cast<size_t>(t));
    if (label.lane == lane && label.name.find("notify") == std::string::npos) {
      names.push_back(label.name);
    }
  }
  return names;
}

const timeline::ActionSpan& Find(const TaskGraph& g, schedules::ActionKind kind, int stage) {
  const auto at = std::find_if(g.actions.begin(), g.actions.end(), [&](const auto& span) {
    return span.action.kind == kind && span.action.stage.value() == stage;
  });
  EXPECT_NE(at, g.actions.end());
  return *at;
}

Small OneLayerAStage() {
  Small small;
  small.layers = 4;
  return small;
}

TEST(Lower, AnActionAloneRunsItsPhasesInOrder) {
  const TaskGraph g = LowerSchedule(MakeExperiment(OneLayerAStage()), "zb1p");
  const auto& f = Find(g, schedules::ActionKind::kForward, 1);
  EXPECT_THAT(Names(g, f, Lane::kCompute), ElementsAre("attention F", "mlp F"));
  EXPECT_THAT(Names(g, f, Lane::kCommunication), ElementsAre("dispatch F", "combine F"));
  const auto& i = Find(g, schedules::ActionKind::kInputGrad, 1);
  EXPECT_THAT(Names(g, i, Lane::kCompute), ElementsAre("mlp I", "attention I"));
  EXPECT_THAT(Names(g, i, Lane::kCommunication), ElementsAre("combine B", "dispatch B"));
  const auto& w = Find(g, schedules::ActionKind::kWeightGrad, 1);
  EXPECT_THAT(Names(g, w, Lane::kCompute), ElementsAre("mlp W", "attention W"));
  EXPECT_THAT(Names(g, w, Lane::kCommunication), ElementsAre());
}

TEST(Lower, AloneNothingRunsBesideAnythingElse) {
  const TaskGraph g = LowerSchedule(MakeExperiment({}), "1f1b");
  const TaskTimes times = RunFluid(g);
  for (const timeline::ActionSpan& span : g.actions) {
    for (int32_t t = span.first + 1; t < span.first + span.count; ++t) {
      EXPECT_GE(times.start[static_cast<size_t>(t)], times.end[static_cast<size_t>(t) - 1]);
    }
  }
}

// The order of arXiv 2412.19437, figure 4, and of the published trace.
TEST(Lower, APairInterleavesAsPublished) {
  Small small = OneLayerAStage();
  small.layers = 8;
  const TaskGraph g = LowerSchedule(MakeExperiment(small), "dualpipe");
  const auto& pair = Find(g, schedules::ActionKind::kOverlapped, 1);  // with stage 2 backward
  ASSERT_EQ(pair.action.backward_stage.value(), 2);
  EXPECT_THAT(Names(g, pair, Lane::kCompute),
              ElementsAre("attention F", "mlp I", "mlp W", "mlp F", "attention I", "attention W",
                          "attention F", "mlp I", "mlp W", "mlp F", "attention I", "attention W"));
  EXPECT_THAT(Names(g, pair, Lane::kCommunication),
              ElementsAre("combine B", "dispatch F", "dispatch B", "combine F", "combine B",
                          "dispatch F", "dispatch B", "combine F"));
}

TEST(Lower, LanesKeepTheirOrderAndInputsComeFirst) {
  Small small;
  small.layers = 13;
  small.dense_layers = 1;
  small.mtp_modules = 1;
  for (const char* name : {"1f1b", "zb1p", "dualpipe", "dualpipev"}) {
    const TaskGraph g = LowerSchedule(MakeExperiment(small), name);
    const TaskTimes times = RunFluid(g);
    std::map<std::pair<int, Lane>, Duration> end;
    for (const timeline::ActionSpan& span : g.actions) {
      for (int32_t i = span.first; i < span.first + span.count; ++i) {
        const size_t t = static_cast<size_t>(i);
        Duration& last = end[{span.rank, LabelOf(g, t).lane}];
        EXPECT_GE(times.start[t], last) << name;
        last = times.end[t];
      }
    }
    for (const auto& [before, after] : g.edges) {
      ASSERT_LE(times.end[static_cast<size_t>(before)], times.start[static_cast<size_t>(after)]);
    }
  }
}

TEST(Lower, AMessageIsAMicroBatchOfHiddenStates) {
  const Experiment e = MakeExperiment({});
  const TaskGraph g = LowerSchedule(e, "1f1b");
  EXPECT_EQ(g.messages.size(), 2u * 3 * 8);  // both ways, 3 borders, 8 micro-batches
  for (const timeline::Message& m : g.messages) {
    const Task& task = g.tasks[static_cast<size_t>(m.operation)];
    const costs::Demand& d = g.templates[static_cast<size_t>(task.templ)].demand;
    EXPECT_EQ(d.network_out, Bytes(512 * 1024 * 2));
    EXPECT_EQ(d.network_in, d.network_out);
    EXPECT_EQ(d.nvlink, Bytes(0));
    EXPECT_EQ(m.to - m.from, m.backward ? -1 : 1);
    EXPECT_EQ(task.peer, m.to);
  }
}

// 4 GPUs a rank on nodes of 8: ranks 0 and 1 share a node, 1 and 2 do not.
TEST(Lower, AMessageTakesTheNicOnlyBetweenNodes) {
  Small small;
  small.data = small.expert = 4;
  const TaskGraph g = LowerSchedule(MakeExperiment(small), "1f1b");
  for (const timeline::Message& m : g.messages) {
    const Task& task = g.tasks[static_cast<size_t>(m.operation)];
    const costs::Demand& d = g.templates[static_cast<size_t>(task.templ)].demand;
    const bool between = m.from / 2 != m.to / 2;
    EXPECT_EQ(d.network_out.value() > 0, between) << m.from << " to " << m.to;
    EXPECT_EQ(d.nvlink.value() > 0, !between);
  }
  // One GPU a rank: eight ranks are one node, the ninth is on the next.
  small.data = small.expert = 1;
  small.ranks = 9;
  small.layers = 9;
  small.microbatches = 9;
  int between = 0;
  const TaskGraph nine = LowerSchedule(MakeExperiment(small), "1f1b");
  for (const timeline::Message& m : nine.messages) {
    const Task& task = nine.tasks[static_cast<size_t>(m.operation)];
    between += nine.templates[static_cast<size_t>(task.templ)].demand.network_out.value() > 0;
  }
  EXPECT_EQ(between, 2 * 9);
}

TEST(Lower, NoMessageStaysOnARank) {
  const TaskGraph g = LowerSchedule(MakeExperiment({}), "dualpipev");
  for (const timeline::Message& m : g.messages) EXPECT_NE(m.from, m.to);
  // 8 stages have 7 borders; the one at the turn of the V is inside the last rank.
  EXPECT_EQ(g.messages.size(), 2u * 6 * 8);
}

// Else a rank goes on while its message is under way.
TEST(Lower, SendersWaitWhereMessagesDoNotOverlap) {
  Experiment e = MakeExperiment({});
  for (const bool overlap : {true, false}) {
    e.communication.overlap_messages = overlap;
    const TaskGraph g = LowerSchedule(e, "1f1b");
    const TaskTimes times = RunFluid(g);
    int held = 0, passed = 0;
    for (const timeline::Message& m : g.messages) {
      for (size_t a = 1; a < g.actions.size(); ++a) {
        const timeline::ActionSpan& before = g.actions[a - 1];
        const bool backward = before.action.kind == schedules::ActionKind::kBackward;
        if (before.rank != m.from || before.action.stage != m.stage || backward != m.backward ||
            before.action.microbatch != m.microbatch || g.actions[a].rank != m.from) {
          continue;
        }
        const Duration arrived = times.end[static_cast<size_t>(m.operation)];
        ++(times.start[static_cast<size_t>(g.actions[a].first)] >= arrived ? held : passed);
      }
    }
    EXPECT_GT(held, 0);
    EXPECT_EQ(passed == 0, !overlap);
  }
}

TEST(Lower, PairsComputeOnTheSmsThatCommunicationLeaves) {
  Small small = OneLayerAStage();
  small.sms = 32;
  small.tokens = 4096;
  small.fp8 = false;
  const TaskGraph g = LowerSchedule(MakeExperiment(small), "dualpipe");
  const auto time = [&](const timeline::ActionSpan& span, const std::string& name) {
    for (int32_t t = span.first; t < span.first + span.count; ++t) {
      if (LabelOf(g, static_cast<size_t>(t)).name != name) continue;
      return g.templates[static_cast<size_t>(g.tasks[static_cast<size_t>(t)].templ)].demand.time;
    }
    return Duration();
  };
  const Duration alone = time(Find(g, schedules::ActionKind::kForward, 1), "mlp F");
  const Duration beside = time(Find(g, schedules::ActionKind::kOverlapped, 1), "mlp F");
  EXPECT_GT(alone, Duration());
  EXPECT_GT(beside, alone);
}

// Gathered as the step starts, parameters cost the first rank its gather and later ranks what their
// warm-up does not hide; gathered at its end, all of it.
TEST(Lower, ParametersAreGatheredBeforeTheFirstForwardOrAtTheEnd) {
  Experiment e = MakeExperiment({});
  const TaskGraph at_end = LowerSchedule(e, "1f1b");
  e.communication.overlap_parameters = true;
  const TaskGraph at_start = LowerSchedule(e, "1f1b");
  ASSERT_EQ(at_start.tasks.size(), at_end.tasks.size());
  const auto gathers = [](const TaskGraph& g, int rank) {
    std::vector<size_t> tasks;
    for (size_t t = 0; t < g.tasks.size(); ++t) {
      const bool gather = LabelOf(g, t).name == "parameter all-gather";
      if (gather && g.tasks[t].rank == rank) tasks.push_back(t);
    }
    return tasks;
  };
  const TaskTimes late = RunFluid(at_end), early = RunFluid(at_start);
  for (int r = 0; r < at_start.ranks; ++r) {
    const auto& first =
        at_start.actions[static_cast<size_t>(at_start.rank_actions[static_cast<size_t>(r)].first)];
    EXPECT_EQ(early.start[gathers(at_start, r).front()], Duration());
    for (const size_t t : gathers(at_start, r)) {
      EXPECT_LE(early.end[t], early.start[static_cast<size_t>(first.first)]);
    }
    for (const size_t t : gathers(at_end, r)) {
      EXPECT_GT(late.start[t], late.end[static_cast<size_t>(at_end.actions.back().first)]);
    }
  }
  const auto end = [](const TaskTimes& times) {
    return *std::max_element(times.end.begin(), times.end.end());
  };
  EXPECT_LT(end(early), end(late));
}

// Apart from their GEMMs, sums of gradients cost a pass that reads BF16 and reads and writes FP32.
TEST(Lower, GradientsAddedUpApartCostTheirBytes) {
  Experiment e = MakeExperiment(OneLayerAStage());
  const auto bytes = [](const Experiment& experiment) {
    const TaskGraph g = LowerSchedule(experiment, "zb1p");
    Bytes sum;
    const auto& w = Find(g, schedules::ActionKind::kWeightGrad, 1);
    for (int32_t t = w.first; t < w.first + w.count; ++t) {
      sum += g.templates[static_cast<size_t>(g.tasks[static_cast<size_t>(t)].templ)].demand.memory;
    }
    return sum;
  };
  const Bytes fused = bytes(e);
  e.training.fused_gradients = false;
  const int64_t added = (bytes(e) - fused).value();
  // 2 + 10 bytes instead of 8, for every parameter of the stage's linear layers and experts.
  const model::Layout layout = Must(model::BalancedLayout(e.model, 4));
  const auto held = RankParameters(e, layout, {1});
  const double parameters = static_cast<double>(held.shared + held.expert);
  EXPECT_NEAR(static_cast<double>(added) / (4 * parameters), 1, 0.02);  // norms have none
}

}  // namespace
}  // namespace pipescope
