// What must hold of any step, over as many random schedules, fabrics and costs as $CASES says: a
// few hundred in every test run, 10^5 in the nightly one (scale_nightly). $FIRST is the first seed,
// so that a case that failed can be run alone.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <numeric>

#include "sim/engine/engine.h"
#include "sim/simulate.h"
#include "tests/sim/random_case.h"
#include "tests/sim/step_flow/testing.h"

namespace pipescope {
namespace {

// Every instant of every rank has one name, and none is negative.
void ExpectTimesAddUp(const StepResult& r) {
  ASSERT_LE(r.timeline.pipeline_end, r.step_time);
  Duration bubble;
  for (size_t rank = 0; rank < r.bubbles.busy.size(); ++rank) {
    ASSERT_EQ(r.bubbles.busy[rank] + r.bubbles.per_rank[rank], r.timeline.pipeline_end);
    ASSERT_EQ(r.breakdown[rank].total(), r.step_time);
    const timeline::Breakdown& b = r.breakdown[rank];
    for (const Duration part : {b.forward, b.backward_input, b.backward_weight, b.overlapped,
                                b.exposed_communication, b.bubble, b.optimizer}) {
      ASSERT_GE(part, Duration());
    }
    ASSERT_EQ(r.activations[rank].points.back().activations, Bytes(0));
    ASSERT_GE(r.bubbles.per_rank[rank], Duration());
    bubble += r.bubbles.per_rank[rank];
  }
  const auto& causes = r.bubbles.by_cause;
  ASSERT_EQ(std::accumulate(causes.begin(), causes.end(), Duration()), bubble);
  for (const timeline::Operation& op : r.timeline.operations) {
    ASSERT_GE(op.start, Duration());
    ASSERT_GE(op.end, op.start);
    ASSERT_LE(op.end, r.step_time);
  }
}

// What all GPUs send in a step, by NVLink and by NIC.
std::pair<Bytes, Bytes> Sent(const TaskGraph& graph) {
  std::pair<Bytes, Bytes> sent;
  for (const Task& task : graph.tasks) {
    const costs::Demand& demand = graph.templates[static_cast<size_t>(task.templ)].demand;
    sent.first += demand.nvlink;
    sent.second += demand.network_out;
  }
  return sent;
}

// The order moves no byte: whichever schedule keeps a rank's stages, the same is sent.
void ExpectBytesConserved(const Experiment& e) {
  const std::pair<Bytes, Bytes> sent = Sent(LowerSchedule(e, "1f1b"));
  ASSERT_GT(sent.first + sent.second, Bytes(0));
  for (const char* other : {"gpipe", "zb1p", "eager-1f1b"}) {
    ASSERT_EQ(Sent(LowerSchedule(e, other)), sent) << other;
  }
}

// With a fixed order and fixed lengths a step is a longest path: shorter lengths never lengthen
// it. With shared resources, or in pairs, that is no theorem.
void ExpectMonotoneInBandwidth(Case c) {
  const auto pipeline = [&] {
    return Must(Simulate(ExperimentOf(c), c.schedule, Fidelity::kSchedule)).timeline.pipeline_end;
  };
  const Duration before = pipeline();
  c.small.nic_gigabytes *= 1.7;
  const Duration network = pipeline();
  ASSERT_LE(network, before);
  c.nvlink *= 1.7;
  ASSERT_LE(pipeline(), network);
}

// One pipeline rank that is one expert group has one transfer at a time, if gradients wait for the
// backward passes and GEMMs for the messages of split layers, and a fabric with a cable for every
// NIC no links that are shared: every flow then takes what its task is priced at.
void ExpectFlowIsOpWhereNothingIsShared(Case c, uint64_t seed) {
  c.small.ranks = 1;
  c.small.expert = c.small.data * c.small.tensor * c.small.context;
  c.fabric = MakeExperiment(c.small).cluster.fabric;
  c.paths = Paths::kSpread;
  Experiment e = ExperimentOf(c);
  e.communication.overlap_gradients = e.communication.overlap_tensor = false;
  const TaskGraph graph = LowerSchedule(e, seed % 2 == 0 ? "gpipe" : "zb1p");
  const TaskTimes folded = RunFluid(graph);
  const StepTimes all = RunStep(e, graph);
  const double step = folded.end.back().seconds();
  for (size_t t = 0; t < folded.end.size(); ++t) {
    const TaskTemplate& templ = graph.templates[static_cast<size_t>(graph.tasks[t].templ)];
    ASSERT_NEAR(all.times.end[t].seconds(), folded.end[t].seconds(), 1e-6 * step)
        << graph.labels[static_cast<size_t>(templ.label)].name << " from "
        << all.times.start[t].seconds() << " or " << folded.start[t].seconds();
  }
}

// Native and SimGrid, on two ranks and few micro-batches: SimGrid forks at every event.
bool IsEqualOnSimGrid(Case c) {
  if (c.paths == Paths::kSpread) return false;
  c.small.ranks = 2;
  c.small.microbatches = c.small.layers = 4;
  const Experiment e = ExperimentOf(c);
  return e.gpus() <= 32 && ExpectSimGridAgrees(e, c.schedule);
}

// Every GPU and flow on its own.
void ExpectFlowsAddUp(uint64_t seed, std::map<std::string, uint64_t>& seen) {
  const Case c = RandomFewGpus(seed);
  SCOPED_TRACE(Describe(c));
  ASSERT_NO_FATAL_FAILURE(
      ExpectTimesAddUp(Must(Simulate(ExperimentOf(c), c.schedule, Fidelity::kFlow))));
  ASSERT_NO_FATAL_FAILURE(ExpectFlowIsOpWhereNothingIsShared(c, seed));
  if (seed % 20 == 0 && IsEqualOnSimGrid(c)) ++seen["simgrid"];
}

uint64_t FromEnvironment(const char* name, uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

TEST(Scale, EveryCase) {
  const uint64_t first = FromEnvironment("FIRST", 0), cases = FromEnvironment("CASES", 300);
  std::map<std::string, uint64_t> seen;
  for (uint64_t seed = first; seed < first + cases; ++seed) {
    const Case c = RandomCase(seed);
    SCOPED_TRACE("FIRST=" + std::to_string(seed) + " CASES=1, " + Describe(c));
    const Experiment e = ExperimentOf(c);
    ASSERT_NO_FATAL_FAILURE(ExpectTimesAddUp(Must(Simulate(e, c.schedule))));
    ASSERT_NO_FATAL_FAILURE(ExpectBytesConserved(e));
    if (!HasPairs(c)) {
      ASSERT_NO_FATAL_FAILURE(ExpectMonotoneInBandwidth(c));
    }
    ASSERT_NO_FATAL_FAILURE(ExpectFlowsAddUp(seed, seen));
    ASSERT_FALSE(HasFailure());
    ++seen[c.schedule];
    if (seed % 1000 == 999) std::fprintf(stderr, "%llu cases\n", 1 + (unsigned long long)seed);
  }
  if (cases >= 300) {
    EXPECT_EQ(seen.size(), 8u);
    EXPECT_GE(seen["simgrid"], cases / 300);
  }
}

}  // namespace
}  // namespace pipescope
