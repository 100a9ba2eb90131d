// Folding changes nothing: every GPU of a rank does what the one that stands for all of them does.
#include "sim/lowering/unfold.h"

#include <set>

#include "sim/engine/engine.h"
#include "tests/sim/testing.h"

namespace pipescope {
namespace {

void ExpectSameTimes(const TaskGraph& folded, int gpus) {
  const TaskTimes one = RunFluid(folded);
  const TaskGraph graph = Unfold(folded, gpus);
  const TaskTimes all = RunFluid(graph);
  const ReplicaNumbers numbers(folded, gpus);
  ASSERT_EQ(graph.tasks.size(), folded.tasks.size() * static_cast<size_t>(gpus));
  int64_t different = 0;
  for (size_t t = 0; t < folded.tasks.size(); ++t) {
    for (int i = 0; i < gpus; ++i) {
      const size_t copy = static_cast<size_t>(numbers.Of(static_cast<int32_t>(t), i));
      ASSERT_EQ(graph.tasks[copy].rank, folded.tasks[t].rank * gpus + i);
      if (one.start[t] != all.start[copy] || one.end[t] != all.end[copy]) ++different;
    }
  }
  EXPECT_EQ(different, 0) << "of " << graph.tasks.size();
}

TEST(Unfold, EveryGpuRunsAsTheFoldedOne) {
  for (const char* schedule : {"gpipe", "1f1b", "zb1p", "dualpipe", "dualpipev"}) {
    for (const int gpus : {1, 2, 3, 8}) {
      SCOPED_TRACE(testing::Message() << schedule << " " << gpus);
      ExpectSameTimes(LowerSchedule(MakeExperiment({}), schedule), gpus);
    }
  }
}

TEST(Unfold, AlsoWhereLinksAreShort) {
  for (const char* schedule : {"1f1b", "zb1p", "dualpipe", "dualpipev"}) {
    for (const int sms : {4, 20, 64}) {
      Small small;
      small.layers = 13;
      small.dense_layers = 1;
      small.mtp_modules = 1;
      small.microbatches = 12;
      small.sms = sms;
      small.nic_gigabytes = 7;
      SCOPED_TRACE(testing::Message() << schedule << " " << sms << " SMs");
      Experiment e = MakeExperiment(small);
      ExpectSameTimes(LowerSchedule(e, schedule), 4);
      e.communication.overlap_gradients = false;
      ExpectSameTimes(LowerSchedule(e, schedule), 2);
    }
  }
}

TEST(Unfold, ActionsMessagesAndRanksFitEachOther) {
  const int gpus = 3;
  const TaskGraph folded = LowerSchedule(MakeExperiment({}), "dualpipe");
  const TaskGraph graph = Unfold(folded, gpus);
  EXPECT_EQ(graph.ranks, folded.ranks * gpus);
  ASSERT_EQ(graph.rank_actions.size(), static_cast<size_t>(graph.ranks));
  int next = 0;
  for (size_t r = 0; r < graph.rank_actions.size(); ++r) {
    EXPECT_EQ(graph.rank_actions[r].first, next);
    next = graph.rank_actions[r].second;
    const auto [was, end] = folded.rank_actions[r / gpus];
    EXPECT_EQ(next - graph.rank_actions[r].first, end - was);
    for (int a = graph.rank_actions[r].first; a < next; ++a) {
      const timeline::ActionSpan& span = graph.actions[static_cast<size_t>(a)];
      EXPECT_EQ(span.rank, static_cast<int>(r));
      EXPECT_EQ(span.action,
                folded.actions[static_cast<size_t>(was + a - graph.rank_actions[r].first)].action);
      for (int32_t t = span.first; t < span.first + span.count; ++t) {
        EXPECT_EQ(graph.tasks[static_cast<size_t>(t)].action, a);
        EXPECT_EQ(graph.tasks[static_cast<size_t>(t)].rank, span.rank);
      }
    }
  }
  for (const timeline::Message& m : graph.messages) {
    const Task& task = graph.tasks[static_cast<size_t>(m.operation)];
    EXPECT_EQ(task.rank, m.from);
    EXPECT_EQ(task.peer, m.to);
    EXPECT_EQ(m.from % gpus, m.to % gpus);
  }
}

TEST(Unfold, CollectivesJoinAndTheRestStaysApart) {
  const int gpus = 2;
  const TaskGraph folded = LowerSchedule(MakeExperiment({}), "1f1b");
  const TaskGraph graph = Unfold(folded, gpus);
  std::set<std::string> joined, apart;
  for (const auto& [before, after] : graph.edges) {
    const Task& to = graph.tasks[static_cast<size_t>(after)];
    const bool other = graph.tasks[static_cast<size_t>(before)].rank % gpus != to.rank % gpus;
    const auto& templ = graph.templates[static_cast<size_t>(to.templ)];
    (other ? joined : apart).insert(graph.labels[static_cast<size_t>(templ.label)].name);
  }
  EXPECT_THAT(joined, testing::ElementsAre("combine B", "combine F", "dispatch B", "dispatch F",
                                           "gradient norm", "gradient reduce-scatter", "notify B",
                                           "notify F", "notify dispatch", "parameter all-gather"));
  EXPECT_THAT(apart, testing::IsSupersetOf(
                         {"activations", "gradients", "attention F", "mlp W", "AdamW", "head I"}));
}

// What the joins are for: one slow GPU holds up all others of its rank.
TEST(Unfold, AStragglerHoldsUpItsRank) {
  TaskGraph folded = LowerSchedule(MakeExperiment({}), "1f1b");
  TaskGraph graph = Unfold(folded, 2);
  const TaskTimes even = RunFluid(graph);
  TaskTemplate slow = graph.templates[static_cast<size_t>(graph.tasks.front().templ)];
  const Duration late = Milliseconds(1);
  slow.demand.time += late;
  graph.templates.push_back(slow);
  graph.tasks.front().templ = static_cast<int32_t>(graph.templates.size()) - 1;
  const TaskTimes held = RunFluid(graph);
  const ReplicaNumbers numbers(folded, 2);
  for (size_t t = 1; t < 10; ++t) {
    const timeline::Label& label = graph.labels[static_cast<size_t>(
        graph.templates[static_cast<size_t>(folded.tasks[t].templ)].label)];
    if (!JoinsReplicas(label)) continue;
    const size_t other = static_cast<size_t>(numbers.Of(static_cast<int32_t>(t), 1));
    EXPECT_EQ(held.start[other], even.start[other] + late) << label.name;
  }
}

}  // namespace
}  // namespace pipescope
