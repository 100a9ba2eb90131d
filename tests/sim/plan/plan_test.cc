// Bounds are below what is simulated, and what they leave out is not missed.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/make_schedule.h"
#include "sim/plan/bounds.h"
#include "sim/plan/front.h"
#include "sim/plan/search.h"
#include "sim/simulate.h"
#include "sim/stages.h"

namespace pipescope::plan {
namespace {

constexpr char kSmall[] = "tests/sim/plan/data/small.yaml";

// Every schedule of whole sequences, with and without pairs, split backward passes, two copies.
const char* const kNames[] = {
    "gpipe",   "1f1b",           "eager-1f1b", "interleaved-1f1b", "looped-bfs",    "zb-h1",
    "zb-h2",   "interleaved-zb", "zbv",        "1f1b-v",           "v-half",        "v-min",
    "chimera", "hanayo",         "dualpipe",   "dualpipev",        "combined-1f1b", "zb-auto"};

const std::vector<std::vector<std::string>> kVariants = {
    {},
    {"communication.sms=4"},
    {"parallel.pipeline=2", "parallel.data=32", "parallel.expert=32", "training.recompute=full"},
    {"parallel.pipeline=1", "parallel.data=64", "parallel.expert=8"},
    {"parallel.data=8", "parallel.tensor=2", "parallel.expert=4", "training.precision=bf16",
     "training.recompute=none"},
    {"training.micro_batch_size=2", "communication.overlap_messages=false"},
    {"layouts=[\"E|(t|)*99L\"]"}};

TEST(Bounds, AreNeverOverWhatIsSimulated) {
  int compared = 0;
  for (const auto& overrides : kVariants) {
    auto e = LoadExperiment(kSmall, overrides);
    if (!e) continue;
    e->enforce_memory = false;
    for (const char* name : kNames) {
      const auto schedule = MakeSchedule(*e, name);
      if (!schedule) continue;
      const auto stages = ChooseLayout(*e, schedule->schedule.stages);
      if (!stages) continue;
      const auto result = Simulate(*e, name);
      if (!result) continue;
      const auto spread =
          costs::SpreadOf(e->model, e->parallel.expert, e->cluster.node.gpus).value();
      const Duration least = LeastTime(*e, schedule->schedule, stages->layout, spread);
      EXPECT_LE(least, result->step_time) << name;
      // It must be of use, too: no schedule of these is more than three times its work.
      EXPECT_GE(least * 3, result->step_time) << name;
      const Bytes peak = PeakMemory(*e, schedule->schedule, stages->layout);
      EXPECT_EQ(peak.value(), FiguresOf(*result).memory_peak.value()) << name;
      const auto by_rank = ChooseLayout(*e, e->parallel.pipeline);
      ASSERT_TRUE(by_rank);
      EXPECT_LE(LeastMemory(*e, by_rank->layout), peak) << name;
      ++compared;
    }
  }
  EXPECT_GE(compared, 60);
}

Question SmallQuestion() {
  Question q;
  q.experiment = kSmall;
  q.space.tensor = {1, 2};
  q.space.expert = {4, 16};
  q.space.micro_batch = {1, 2};
  q.space.sms = {8, 20};
  q.space.recompute = {"full", "deepseek_v3"};
  q.top = 5;
  return q;
}

void ExpectSame(const std::vector<PlanEntry>& a, const std::vector<PlanEntry>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].choice.Overrides(), b[i].choice.Overrides()) << i;
    EXPECT_EQ(a[i].figures.step_time, b[i].figures.step_time) << i;
  }
}

TEST(Search, FindsWhatAnExhaustiveSearchFinds) {
  for (const int64_t gib : {80, 24, 12}) {
    Question q = SmallQuestion();
    q.limit = Bytes(gib << 30);
    const auto pruned = Search(q);
    q.exhaustive = true;
    const auto all = Search(q);
    ASSERT_EQ(pruned.has_value(), all.has_value()) << gib;
    if (!pruned) continue;
    ExpectSame(pruned->best, all->best);
    // Of plans that are equal in time, memory and GPUs either may stand for both.
    ASSERT_EQ(pruned->front.size(), all->front.size());
    for (size_t i = 0; i < all->front.size(); ++i) {
      EXPECT_EQ(pruned->front[i].figures.step_time, all->front[i].figures.step_time);
      EXPECT_EQ(pruned->front[i].figures.memory_peak, all->front[i].figures.memory_peak);
    }
    EXPECT_EQ(all->counts.bound, 0);
    EXPECT_LT(pruned->counts.simulated, all->counts.simulated) << gib;
    for (const PlanEntry& entry : all->best) EXPECT_LE(entry.bound, entry.figures.step_time);
    const PlanCounts& c = pruned->counts;
    EXPECT_EQ(c.considered,
              c.impossible + c.parameters + c.memory + c.bound + c.simulated + c.refused);
  }
}

TEST(Search, DoesNotDependOnTheThreads) {
  Question q = SmallQuestion();
  const auto one = Search(q);
  q.jobs = 7;
  const auto seven = Search(q);
  ASSERT_TRUE(one && seven);
  ExpectSame(one->best, seven->best);
  ExpectSame(one->front, seven->front);
  EXPECT_EQ(one->counts.simulated, seven->counts.simulated);
  EXPECT_EQ(one->counts.bound, seven->counts.bound);
}

TEST(Search, SaysWhyNoPlanFits) {
  Question q = SmallQuestion();
  q.limit = Bytes(1 << 20);
  const auto report = Search(q);
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find("no plan fits"), std::string::npos);
}

TEST(Search, RefusesMoreGpusThanThereAre) {
  Question q = SmallQuestion();
  q.space.gpus = {128};
  const auto report = Search(q);
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find("--gpus 128"), std::string::npos);
}

// Times of one plan's stages would be taken for those of every plan.
TEST(Search, RefusesTimesOfStages) {
  Question q;
  q.experiment = "experiments/published/zero_bubble_6_2b.yaml";
  const auto found = Search(q);
  ASSERT_FALSE(found.has_value());
  EXPECT_NE(found.error().message.find("costs.stages"), std::string::npos);
}

TEST(Front, KeepsWhatNoOtherBeatsInAllThree) {
  const auto entry = [](int64_t time, int64_t memory, int gpus) {
    PlanEntry e;
    e.figures.step_time = Duration(time);
    e.figures.memory_peak = Bytes(memory);
    e.choice.gpus = gpus;
    return e;
  };
  const auto front = FrontOf({entry(3, 3, 8), entry(2, 4, 8), entry(3, 4, 8), entry(5, 5, 4),
                              entry(2, 4, 8), entry(4, 3, 8)});
  ASSERT_EQ(front.size(), 3u);
  EXPECT_EQ(front[0].figures.step_time, Duration(2));
  EXPECT_EQ(front[1].figures.step_time, Duration(3));
  EXPECT_EQ(front[2].choice.gpus, 4);
}

}  // namespace
}  // namespace pipescope::plan
