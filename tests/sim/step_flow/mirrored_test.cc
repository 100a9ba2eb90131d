// Schedules in which two ranks hold each stage: their gradients and parameters meet over both, as
// flows between the two ranks' GPUs.
#include <algorithm>
#include <map>
#include <numeric>

#include "sim/engine/engine.h"
#include "sim/lowering/places.h"
#include "tests/sim/step_flow/testing.h"
#include "topology/links.h"

namespace pipescope {
namespace {

const TaskTemplate& TemplateOf(const TaskGraph& graph, size_t task) {
  return graph.templates[static_cast<size_t>(graph.tasks[task].templ)];
}

const std::string& NameOf(const TaskGraph& graph, size_t task) {
  return graph.labels[static_cast<size_t>(TemplateOf(graph, task).label)].name;
}

// The tasks of every collective of gradients or parameters, one on each rank that holds the stage:
// they were added one after the other.
std::vector<std::vector<size_t>> Meetings(const TaskGraph& graph) {
  std::vector<std::vector<size_t>> meetings;
  for (size_t t = 0; t < graph.tasks.size(); ++t) {
    const std::string& name = NameOf(graph, t);
    if (name != "gradient reduce-scatter" && name != "parameter all-gather") continue;
    const std::vector<int32_t>& ranks = TemplateOf(graph, t).group.ranks;
    if (ranks.empty() || graph.tasks[t].rank == ranks.front()) meetings.emplace_back();
    meetings.back().push_back(t);
  }
  return meetings;
}

// Ranks that are a node or two, that share nodes with their mirrored one, or with another one.
const std::vector<Small>& Sizes() {
  static const std::vector<Small> sizes = {
      {.ranks = 2, .expert = 8, .data = 8},
      {.ranks = 4, .expert = 8, .data = 16},
      {.ranks = 2, .expert = 4, .data = 4},
      {.ranks = 4, .expert = 2, .data = 4},
      {.ranks = 2, .expert = 8, .data = 4, .tensor = 4},
  };
  return sizes;
}

std::string Describe(const Small& s) {
  return std::to_string(s.ranks) + " ranks, EP " + std::to_string(s.expert) + ", DP " +
         std::to_string(s.data) + ", TP " + std::to_string(s.tensor);
}

// Where the two ranks lie at other places of their nodes, the ring's hop between them would go by
// the NIC of the other one's rail, and over NVLink to it: here every GPU sends by its own.
Experiment OwnNics(const Small& small) {
  Experiment e = MakeExperiment(small);
  e.communication.to_rail = false;
  return e;
}

// Bytes over every link, of all tasks of one collective.
std::map<topology::LinkId, int64_t> BytesByLink(const TaskGraph& graph,
                                                const std::vector<size_t>& meeting, int gpus,
                                                TransferTable& table) {
  std::vector<int32_t> everybody(static_cast<size_t>(gpus));
  std::iota(everybody.begin(), everybody.end(), 0);
  std::map<topology::LinkId, int64_t> bytes;
  for (const size_t t : meeting) {
    const auto transfers = table.Of(TransferKind::kCollective, graph.tasks[t], everybody);
    const flow::FlowBatch& batch = transfers->pattern->batch();
    for (int64_t f = 0; f < transfers->size(); ++f) {
      for (const topology::LinkId l : batch.Route(f)) {
        bytes[l] += batch.bytes[static_cast<size_t>(f)].value();
      }
    }
  }
  return bytes;
}

// A ring: every GPU of every rank that holds the stage sends what is priced, and as much arrives
// there.
TEST(MirroredStages, EveryGpuSendsAndReceivesWhatIsPriced) {
  for (const char* schedule : {"dualpipe", "chimera", "1f1b"}) {
    for (const Small& small : Sizes()) {
      SCOPED_TRACE(schedule + (", " + Describe(small)));
      const Experiment e = OwnNics(small);
      const TaskGraph graph = LowerSchedule(e, schedule);
      const StepNetwork network(e, false);
      const topology::LinkTable& links = network.router().links();
      const topology::VertexIds ids(e.cluster);
      TransferTable table(e, graph, network);
      int64_t moved = 0;
      for (const std::vector<size_t>& meeting : Meetings(graph)) {
        const costs::Demand& demand = TemplateOf(graph, meeting.front()).demand;
        const int64_t gpus = e.parallel.gpus_per_rank() * static_cast<int64_t>(meeting.size());
        int64_t nvlink_ends = 0, nic_ends = 0;  // of GPUs and NICs, out and in
        for (const auto& [l, bytes] :
             BytesByLink(graph, meeting, e.parallel.gpus_per_rank(), table)) {
          const auto first_nic = ids.gpus() + ids.nvlink_switches();
          const topology::Link link = links[l];
          const int end = std::min(link.from, link.to);
          if (end >= ids.fabric_switch(0)) continue;
          const bool nic = end >= first_nic;
          EXPECT_EQ(bytes, (nic ? demand.network_out : demand.nvlink).value());
          ++(nic ? nic_ends : nvlink_ends);
          moved += bytes;
        }
        EXPECT_EQ(nvlink_ends, demand.nvlink > Bytes(0) ? 2 * gpus : 0);
        EXPECT_EQ(nic_ends, demand.network_out > Bytes(0) ? 2 * gpus : 0);
      }
      EXPECT_GT(moved, 0);
    }
  }
}

// Where nothing else runs every collective takes what it is priced at, on all its ranks at once,
// as it does at `op`.
TEST(MirroredStages, CollectivesAloneTakeWhatTheyArePricedAt) {
  for (const char* schedule : {"dualpipe", "chimera"}) {
    for (const Small& small : Sizes()) {
      SCOPED_TRACE(schedule + (", " + Describe(small)));
      Experiment e = OwnNics(small);
      e.communication.overlap_gradients = false;
      e.communication.paths = Paths::kSpread;
      const TaskGraph graph = LowerSchedule(e, schedule);
      const TaskTimes folded = RunFluid(graph);
      const StepTimes all = RunStep(e, graph);
      const double near = 1e-6 * folded.end.back().seconds();
      for (const std::vector<size_t>& meeting : Meetings(graph)) {
        ASSERT_EQ(meeting.size(), 2u);
        for (const size_t t : meeting) {
          const double priced = TemplateOf(graph, t).demand.time.seconds();
          EXPECT_NEAR((folded.end[t] - folded.start[t]).seconds(), priced, near);
          EXPECT_NEAR((all.times.end[t] - all.times.start[t]).seconds(), priced, near);
          EXPECT_EQ(all.times.start[t], all.times.start[meeting.front()]);
          EXPECT_EQ(folded.start[t], folded.start[meeting.front()]);
        }
      }
    }
  }
}

// Two ranks of a node each: the only other GPU with the same experts is in the other node. What
// passes a slow NIC there takes as long as that NIC does, and both ranks go on after it.
TEST(MirroredStages, ASlowNicOfOneRankHoldsUpBoth) {
  Experiment e = MakeExperiment({.ranks = 2, .expert = 8, .data = 8});
  e.communication.overlap_gradients = false;
  const Bandwidth slow = GigabytesPerSecond(2);
  e.cluster.faults.slow_nics = {{{1, 3}, slow}};
  const TaskGraph graph = LowerSchedule(e, "dualpipe");
  const StepTimes all = RunStep(e, graph);
  ASSERT_EQ(all.replica, 3);  // whose times these are
  int seen = 0;
  for (const std::vector<size_t>& meeting : Meetings(graph)) {
    const TaskTemplate& templ = TemplateOf(graph, meeting.front());
    if (templ.group.size > 1) continue;  // of experts alone
    Duration start = Duration::Max(), end;
    for (const size_t t : meeting) {
      start = std::min(start, all.times.start[t]);
      end = std::max(end, all.times.end[t]);
    }
    const double sent = static_cast<double>(templ.demand.network_out.value());
    const double rate = slow.value() * e.efficiencies.network;
    EXPECT_NEAR((end - start).seconds(), sent / rate, 1e-2 * sent / rate);
    for (const auto& [before, after] : graph.edges) {
      if (static_cast<size_t>(before) != meeting.front()) continue;
      EXPECT_GE(all.times.start[static_cast<size_t>(after)], end);
    }
    ++seen;
  }
  EXPECT_EQ(seen, 4);  // gradients and parameters of two stages
}

// Parameters that are gathered as the step starts come from both ranks, which therefore gather
// stage by stage in one order, though each needs another stage first.
TEST(MirroredStages, RanksGatherInOneOrderBeforeTheirFirstForwards) {
  Experiment e = MakeExperiment({.ranks = 4, .expert = 8, .data = 8});
  e.communication.overlap_parameters = true;
  const TaskGraph graph = LowerSchedule(e, "dualpipe");
  const TaskTimes folded = RunFluid(graph);
  const StepTimes all = RunStep(e, graph);
  int gathers = 0;
  for (const std::vector<size_t>& meeting : Meetings(graph)) {
    if (NameOf(graph, meeting.front()) != "parameter all-gather") continue;
    for (const size_t t : meeting) {
      EXPECT_EQ(folded.start[t], folded.start[meeting.front()]);
      EXPECT_EQ(all.times.start[t], all.times.start[meeting.front()]);
    }
    ++gathers;
  }
  EXPECT_EQ(gathers, 8);  // shared and experts' of four stages
  for (const auto& [first, last] : graph.rank_actions) {
    const auto opens = static_cast<size_t>(graph.actions[static_cast<size_t>(first)].first);
    EXPECT_GT(folded.start[opens], Duration());
    EXPECT_GT(all.times.start[opens], Duration());
  }
}

TEST(MirroredStages, SimGridAgrees) {
  for (const char* schedule : {"dualpipe", "chimera"}) {
    for (const int data : {4, 8}) {  // two ranks in a node, and a node each
      Experiment e = MakeExperiment({.ranks = 2, .microbatches = 4, .expert = data, .data = data});
      EXPECT_TRUE(ExpectSimGridAgrees(e, schedule)) << schedule << data;
    }
  }
}

TEST(PerNode, CountsTheGpusOfAllRanksThatShareIt) {
  Experiment e = MakeExperiment({.ranks = 4, .expert = 4, .data = 4});
  EXPECT_EQ(PerNode(e, {4, 1}), 4);
  EXPECT_EQ(PerNode(e, {4, 1, false, {0, 3}}), 4);
  EXPECT_EQ(PerNode(e, {4, 1, false, {0, 1}}), 8);
  EXPECT_EQ(PerNode(e, {1, 4, false, {0, 3}}), 1);
  EXPECT_EQ(PerNode(e, {1, 4, false, {2, 3}}), 2);
  e.parallel.data = 16;
  EXPECT_EQ(PerNode(e, {16, 1, false, {0, 3}}), 8);
  EXPECT_EQ(PerNode(e, {4, 4, false, {0, 3}}), 2);
}

}  // namespace
}  // namespace pipescope
