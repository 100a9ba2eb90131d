// What must hold of any experiment, over a few hundred random ones.
#include <algorithm>
#include <numeric>
#include <random>

#include "sim/simulate.h"
#include "tests/sim/random_case.h"
#include "tests/sim/testing.h"

namespace pipescope {
namespace {

TEST(Property, TimesAddUp) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    const Case c = RandomCase(seed);
    SCOPED_TRACE(Describe(c));
    const StepResult r = Must(Simulate(ExperimentOf(c), c.schedule));
    EXPECT_LE(r.timeline.pipeline_end, r.step_time);
    Duration bubble;
    for (size_t rank = 0; rank < r.bubbles.busy.size(); ++rank) {
      ASSERT_EQ(r.bubbles.busy[rank] + r.bubbles.per_rank[rank], r.timeline.pipeline_end);
      ASSERT_GE(r.bubbles.per_rank[rank], Duration());
      ASSERT_EQ(r.breakdown[rank].total(), r.step_time);
      ASSERT_EQ(r.activations[rank].points.back().activations, Bytes(0));
      bubble += r.bubbles.per_rank[rank];
    }
    ASSERT_EQ(std::accumulate(r.bubbles.by_cause.begin(), r.bubbles.by_cause.end(), Duration()),
              bubble);
  }
}

TEST(Property, TimesAreOrderedAndReleasedExactly) {
  for (uint32_t seed = 300; seed < 500; ++seed) {
    const Case c = RandomCase(seed);
    SCOPED_TRACE(Describe(c));
    const StepResult r = Must(Simulate(ExperimentOf(c), c.schedule));
    ASSERT_NO_FATAL_FAILURE(ExpectReleasedExactly(r.timeline));
    for (const auto& [first, last] : r.timeline.rank_actions) {
      for (int a = first + 1; a < last; ++a) {
        ASSERT_GE(r.timeline.actions[static_cast<size_t>(a)].start,
                  r.timeline.actions[static_cast<size_t>(a) - 1].end);
      }
    }
    for (const timeline::Breakdown& b : r.breakdown) {
      for (const Duration part : {b.forward, b.backward_input, b.backward_weight, b.overlapped,
                                  b.exposed_communication, b.bubble, b.optimizer}) {
        ASSERT_GE(part, Duration());
      }
    }
  }
}

// What an action would take if its operations ran one by one, each alone on the GPU.
std::vector<Duration> SerialTimes(const Case& c, bool pairs) {
  const TaskGraph g = LowerSchedule(ExperimentOf(c), c.schedule);
  std::vector<Duration> times;
  for (const timeline::ActionSpan& span : g.actions) {
    if (!pairs && span.action.kind == schedules::ActionKind::kOverlapped) continue;
    Duration sum;
    for (int32_t t = span.first; t < span.first + span.count; ++t) {
      sum += g.templates[static_cast<size_t>(g.tasks[static_cast<size_t>(t)].templ)].demand.time;
    }
    times.push_back(sum);
  }
  return times;
}

TEST(Property, MoreBandwidthNeverMakesAnActionLonger) {
  for (uint32_t seed = 500; seed < 650; ++seed) {
    Case c = RandomCase(seed);
    SCOPED_TRACE(Describe(c));
    const std::vector<Duration> before = SerialTimes(c, true);
    c.small.nic_gigabytes *= 1.7;
    const std::vector<Duration> after = SerialTimes(c, true);
    ASSERT_EQ(before.size(), after.size());
    for (size_t i = 0; i < before.size(); ++i) ASSERT_LE(after[i], before[i]);
  }
}

// Pairs are left out: there communication's SMs are taken from computation's.
TEST(Property, MoreCommunicationSmsNeverMakeAnActionAloneLonger) {
  for (uint32_t seed = 650; seed < 800; ++seed) {
    Case c = RandomCase(seed);
    SCOPED_TRACE(Describe(c));
    const std::vector<Duration> before = SerialTimes(c, false);
    c.small.sms += 7;
    const std::vector<Duration> after = SerialTimes(c, false);
    ASSERT_EQ(before.size(), after.size());
    for (size_t i = 0; i < before.size(); ++i) ASSERT_LE(after[i], before[i]);
  }
}

// The model's letters in their order, cut at random places: a stage may be the embedding alone, the
// head alone, or nearly all layers.
std::string RandomLayout(const Small& small, int stages, std::mt19937& random) {
  const std::string letters = "E" + std::string(static_cast<size_t>(small.layers), 't') +
                              std::string(static_cast<size_t>(small.mtp_modules), 'm') + "L";
  std::vector<size_t> cuts(letters.size() - 1);
  std::iota(cuts.begin(), cuts.end(), size_t{1});
  std::shuffle(cuts.begin(), cuts.end(), random);
  cuts.resize(static_cast<size_t>(stages) - 1);
  std::sort(cuts.rbegin(), cuts.rend());
  std::string layout = letters;
  for (const size_t cut : cuts) layout.insert(cut, "|");
  return layout;
}

TEST(Property, AnyLegalLayoutRuns) {
  for (uint32_t seed = 800; seed < 1200; ++seed) {
    std::mt19937 random(seed);
    Case c = RandomCase(seed);
    const char* const names[] = {"1f1b", "zb1p", "dualpipe", "dualpipev", "zbv", "v-half"};
    c.schedule = names[seed % std::size(names)];
    const bool two_chunks = seed % std::size(names) > 2;
    Experiment e = ExperimentOf(c);
    e.enforce_memory = false;
    e.layouts = {RandomLayout(c.small, c.small.ranks * (two_chunks ? 2 : 1), random)};
    SCOPED_TRACE(Describe(c) + ", layout " + e.layouts.front());
    const StepResult r = Must(Simulate(e, c.schedule));
    EXPECT_EQ(r.layout, e.layouts.front());
    ExpectReleasedExactly(r.timeline);
    for (const timeline::MemoryCurve& curve : r.activations) {
      ASSERT_EQ(curve.points.back().activations, Bytes(0));
    }
  }
}

}  // namespace
}  // namespace pipescope
