// What must hold of any step, over as many random schedules, fabrics and costs as $CASES says: a
// thousand in every test run, 10^5 in the nightly one (scale_nightly). $FIRST is the first seed, so
// that a case that failed can be run alone.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>

#include "sim/simulate.h"
#include "tests/sim/testing.h"

namespace pipescope {
namespace {

struct Case {
  Small small;
  std::string schedule;
  costs::Efficiencies efficiencies;
  double nvlink = 1, latency = 1;  // times those of the small cluster
};

bool HasPairs(const std::string& schedule) { return schedule.starts_with("dualpipe"); }

Case RandomCase(uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto pick = [&](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random);
  };
  const auto share = [&](double least, double most) {
    return std::uniform_real_distribution<double>(least, most)(random);
  };
  Case c;
  const char* const names[] = {"gpipe", "1f1b",     "eager-1f1b", "zb1p",
                               "zb-h2", "dualpipe", "dualpipev"};
  c.schedule = names[pick(0, 6)];
  c.small.ranks = 2 * pick(1, 4);
  c.small.microbatches = 2 * c.small.ranks + 2 * pick(0, 4);
  c.small.layers = 2 * c.small.ranks + pick(0, 9);
  c.small.dense_layers = pick(0, 2);
  c.small.mtp_modules = pick(0, 1);
  c.small.expert = 1 << pick(0, 6);
  c.small.data = c.small.expert * pick(1, 2);
  c.small.sms = pick(1, 100);
  c.small.tokens = 128 * pick(1, 16);
  c.small.fp8 = pick(0, 1) == 1;
  c.small.nic_gigabytes = share(0.5, 200);
  c.efficiencies.gemm_main_loop = share(0.1, 1);
  c.efficiencies.memory = share(0.1, 1);
  c.efficiencies.network = share(0.1, 1);
  c.efficiencies.communication_beside = share(1, 3);
  c.efficiencies.rank_spread = share(0, 0.5);
  c.efficiencies.kernel_gap = Microseconds(share(0, 20));
  c.nvlink = share(0.1, 10);
  c.latency = share(0, 100);
  return c;
}

Experiment ExperimentOf(const Case& c) {
  Experiment e = MakeExperiment(c.small);
  e.efficiencies = c.efficiencies;
  e.cluster.node.nvlink = Bandwidth(e.cluster.node.nvlink.value() * c.nvlink);
  e.cluster.node.nvlink_latency = Seconds(e.cluster.node.nvlink_latency.seconds() * c.latency);
  return e;
}

// Every instant of every rank has one name, and none is negative.
void ExpectTimesAddUp(const StepResult& r) {
  ASSERT_LE(r.timeline.pipeline_end, r.step_time);
  for (size_t rank = 0; rank < r.bubbles.busy.size(); ++rank) {
    ASSERT_EQ(r.bubbles.busy[rank] + r.bubbles.per_rank[rank], r.timeline.pipeline_end);
    ASSERT_EQ(r.breakdown[rank].total(), r.step_time);
    const timeline::Breakdown& b = r.breakdown[rank];
    for (const Duration part : {b.forward, b.backward_input, b.backward_weight, b.overlapped,
                                b.exposed_communication, b.bubble, b.optimizer}) {
      ASSERT_GE(part, Duration());
    }
    ASSERT_EQ(r.activations[rank].points.back().activations, Bytes(0));
  }
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

uint64_t FromEnvironment(const char* name, uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

TEST(Scale, EveryCase) {
  const uint64_t first = FromEnvironment("FIRST", 0), cases = FromEnvironment("CASES", 1000);
  std::map<std::string, uint64_t> seen;
  for (uint64_t seed = first; seed < first + cases; ++seed) {
    const Case c = RandomCase(seed);
    SCOPED_TRACE("FIRST=" + std::to_string(seed) + " CASES=1, " + c.schedule);
    const Experiment e = ExperimentOf(c);
    ASSERT_NO_FATAL_FAILURE(ExpectTimesAddUp(Must(Simulate(e, c.schedule))));
    ASSERT_NO_FATAL_FAILURE(ExpectBytesConserved(e));
    if (!HasPairs(c.schedule)) {
      ASSERT_NO_FATAL_FAILURE(ExpectMonotoneInBandwidth(c));
    }
    ++seen[c.schedule];
    if (seed % 10'000 == 9'999) std::fprintf(stderr, "%llu cases\n", 1 + (unsigned long long)seed);
  }
  if (cases >= 1000) {
    EXPECT_EQ(seen.size(), 7u);
  }
}

}  // namespace
}  // namespace pipescope
