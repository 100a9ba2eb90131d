// Tensor and context parallelism on every GPU: groups inside a node and across nodes.
#include <algorithm>
#include <numeric>
#include <tuple>

#include "sim/engine/engine.h"
#include "tests/sim/step_flow/testing.h"

namespace pipescope {
namespace {

// GPUs that split layers and sequences: their gathers, scatters and exchanges as flows take on an
// idle fabric what they are priced at, inside a node (tensor) and between nodes (context).
TEST(SplitStep, TensorAndContextGroupsTakeWhatTheyArePricedAt) {
  for (const auto& [tensor, context, exchange] :
       {std::tuple(8, 1, model::ContextExchange::kAllToAll),
        std::tuple(1, 4, model::ContextExchange::kAllToAll),
        std::tuple(4, 2, model::ContextExchange::kAllToAll),
        std::tuple(4, 2, model::ContextExchange::kAllGather),
        std::tuple(2, 8, model::ContextExchange::kAllGather)}) {
    SCOPED_TRACE(std::to_string(tensor) + " x " + std::to_string(context));
    Small small;
    small.ranks = 1;
    small.data = 2;
    small.tensor = tensor;
    small.context = context;
    small.expert = 8;
    Experiment e = MakeExperiment(small);
    e.parallel.exchange = exchange;
    const TaskGraph graph = LowerSchedule(e, "gpipe");
    const TaskTimes folded = RunFluid(graph);
    const StepTimes all = RunStep(e, graph);
    for (size_t t = 0; t < folded.end.size(); ++t) {
      ASSERT_NEAR(all.times.end[t].seconds(), folded.end[t].seconds(),
                  1e-6 * folded.end.back().seconds())
          << t;
    }
  }
}

// Where they share NICs and HBM with messages, to what a balanced step agrees to otherwise.
TEST(SplitStep, ASplitStepIsCloseToTheFoldedOne) {
  for (const auto& [tensor, context] : {std::pair(4, 1), std::pair(2, 4)}) {
    for (const char* schedule : {"1f1b", "dualpipe"}) {
      SCOPED_TRACE(schedule);
      Small small;
      small.data = 2;
      small.tensor = tensor;
      small.context = context;
      small.expert = 8;
      const Experiment e = MakeExperiment(small);
      const TaskGraph graph = LowerSchedule(e, schedule);
      const TaskTimes folded = RunFluid(graph);
      const double end = std::max_element(folded.end.begin(), folded.end.end())->seconds();
      EXPECT_NEAR(RunStep(e, graph).replica_ends[0].seconds() / end, 1, 1e-2);
    }
  }
}

// Ring: to the next one. Direct: to each. Context groups of 4 lie 2 to a node, 4 GPUs apart.
TEST(SplitStep, GroupsSendWhereTheyLie) {
  Small small;
  small.ranks = 1;
  small.data = 1;
  small.tensor = 4;
  small.context = 4;
  small.expert = 8;
  const Experiment e = MakeExperiment(small);
  const TaskGraph graph = LowerSchedule(e, "gpipe");
  const StepNetwork network(e, false);
  TransferTable table(e, graph, network);
  std::vector<int32_t> everybody(16);
  std::iota(everybody.begin(), everybody.end(), 0);
  int seen = 0;
  for (const Task& task : graph.tasks) {
    const TaskTemplate& templ = graph.templates[static_cast<size_t>(task.templ)];
    const std::string& name = graph.labels[static_cast<size_t>(templ.label)].name;
    const bool gathers = name == "TP gather F", exchanges = name == "CP exchange F";
    if (!gathers && !exchanges) continue;
    const auto transfers = table.Of(TransferKind::kCollective, task, everybody);
    ASSERT_EQ(transfers->size(), gathers ? 16 : 16 * 3);
    Bytes sent;
    for (size_t f = 0; f < transfers->source.size(); ++f) {
      const int from = transfers->source[f], to = transfers->destination[f];
      EXPECT_EQ(gathers ? from / 4 : from % 4, gathers ? to / 4 : to % 4);
      sent += transfers->pattern->batch().bytes[f];
    }
    const Bytes priced = templ.demand.nvlink + templ.demand.network_out;
    EXPECT_NEAR(static_cast<double>(sent.value()), 16.0 * static_cast<double>(priced.value()), 48);
    ++seen;
  }
  EXPECT_GT(seen, 10);
}

// It computes at half speed; who splits layers with it waits at every gather, other replicas only
// for the gradients.
TEST(SplitStep, ASlowGpuHoldsUpItsTensorGroup) {
  Small small;
  small.ranks = 1;
  small.data = 2;
  small.tensor = 4;
  small.expert = 4;
  Experiment e = MakeExperiment(small);
  const TaskGraph graph = LowerSchedule(e, "gpipe");
  const double before = RunStep(e, graph).replica_ends[0].seconds();
  e.what_if.slow_gpus = {{6, 2.0}};
  const StepTimes slow = RunStep(e, graph);
  EXPECT_GT(slow.replica_ends[0].seconds(), before * 1.2);  // the gradients' norm waits
  EXPECT_EQ(slow.replica % 4, 2);                           // one that holds the same parameters
}

TEST(SplitStep, SimGridAgreesOnSplitLayersAndSequences) {
  Small small;
  small.ranks = 2;
  small.microbatches = 4;
  small.data = 1;
  small.tensor = 4;
  small.context = 4;
  small.expert = 8;
  const Experiment e = MakeExperiment(small);
  EXPECT_TRUE(ExpectSimGridAgrees(e));
}

}  // namespace
}  // namespace pipescope
