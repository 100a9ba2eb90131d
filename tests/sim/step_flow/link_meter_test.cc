#include <numeric>

#include "sim/simulate.h"
#include "tests/sim/testing.h"

namespace pipescope {
namespace {

const LinkUse::Class* Find(const LinkUse& use, const std::string& name) {
  for (const LinkUse::Class& its : use.classes) {
    if (its.name == name) return &its;
  }
  return nullptr;
}

double Sum(const std::vector<Bytes>& list) {
  double sum = 0;
  for (const Bytes b : list) sum += static_cast<double>(b.value());
  return sum;
}

StepResult Flow(const Experiment& e, const char* schedule) {
  return Must(Simulate(e, schedule, Fidelity::kFlow));
}

// Counted twice: by flows over their links here, by tasks' bytes there, of one GPU for all.
TEST(LinkMeter, EqualsWhatTasksMove) {
  for (const char* schedule : {"gpipe", "1f1b", "zb1p", "dualpipe", "chimera"}) {
    const Experiment e = MakeExperiment({});
    const StepResult r = Flow(e, schedule);
    int compared = 0;
    for (const ResourceUse::Row& row : r.resources.rows) {
      const LinkUse::Class* its = Find(r.links, row.name == "NVLink" ? "NVLink out" : row.name);
      if (its == nullptr) continue;
      const double moved = Sum(row.bytes) * e.parallel.gpus_per_rank();
      if (moved == 0) continue;
      EXPECT_NEAR(Sum(its->by_work), moved, 1e-3 * moved) << schedule << " " << row.name;
      ++compared;
    }
    EXPECT_GE(compared, 2) << schedule;
  }
}

// By work, by rank and by slice are the same bytes; no link carries more than it can.
TEST(LinkMeter, PartsAddUp) {
  const StepResult r = Flow(MakeExperiment({}), "dualpipe");
  ASSERT_FALSE(r.links.classes.empty());
  for (const LinkUse::Class& its : r.links.classes) {
    const double bytes = Sum(its.by_work);
    EXPECT_NEAR(Sum(its.by_rank), bytes, 1e-6 * bytes) << its.name;
    const double slices = std::accumulate(its.share.begin(), its.share.end(), 0.0);
    EXPECT_NEAR(slices * its.capacity.value() * r.links.slice.seconds(), bytes, 1e-6 * bytes);
    EXPECT_LE(its.busiest, 1 + 1e-9) << its.name;
    const double mean = bytes / (its.capacity.value() * r.timeline.end.seconds());
    EXPECT_GE(its.busiest, mean * (1 - 1e-3)) << its.name;
    for (const double share : its.share) EXPECT_LE(share, 1 + 1e-6) << its.name;
  }
}

// What goes up into a fabric comes down again, and a NIC sends what it is given.
TEST(LinkMeter, UpIsDown) {
  const StepResult r = Flow(MakeExperiment({}), "1f1b");
  const auto equal = [&](const char* up, const char* down) {
    const LinkUse::Class *a = Find(r.links, up), *b = Find(r.links, down);
    ASSERT_TRUE(a != nullptr && b != nullptr) << up;
    EXPECT_EQ(Sum(a->by_work), Sum(b->by_work)) << up;
  };
  equal("NIC out", "NIC in");
  equal("leaf to spine", "spine to leaf");
  equal("NVLink out", "NVLink in");
}

TEST(LinkMeter, NothingAtOtherFidelities) {
  EXPECT_TRUE(Must(Simulate(MakeExperiment({}), "1f1b")).links.classes.empty());
}

}  // namespace
}  // namespace pipescope
