// The fluid engine against its definition, on hundreds of random graphs.
#include "sim/engine/fluid.h"

#include <map>
#include <set>

#include "sim/engine/engine.h"
#include "tests/sim/engine/random_graphs.h"
#include "tests/sim/engine/reference.h"

namespace pipescope {
namespace {

TEST(Fluid, AgreesWithTheReference) {
  for (uint32_t seed = 0; seed < 500; ++seed) {
    const TaskGraph g = RandomGraph(seed);
    const TaskTimes times = RunFluid(g);
    const ReferenceTimes reference = RunReference(g);
    for (size_t t = 0; t < g.tasks.size(); ++t) {
      // Ends are rounded up to whole picoseconds, once a task.
      ASSERT_NEAR(static_cast<double>(times.start[t].picoseconds()), reference.start[t], 500)
          << "seed " << seed << ", task " << t;
      ASSERT_NEAR(static_cast<double>(times.end[t].picoseconds()), reference.end[t], 500)
          << "seed " << seed << ", task " << t;
    }
  }
}

TEST(Fluid, IsDeterministic) {
  for (uint32_t seed = 0; seed < 50; ++seed) {
    const TaskGraph g = RandomGraph(seed);
    const TaskTimes a = RunFluid(g), b = RunFluid(g);
    EXPECT_EQ(a.start, b.start);
    EXPECT_EQ(a.end, b.end);
    EXPECT_EQ(a.released_by, b.released_by);
  }
}

TEST(Fluid, EveryTaskStartsWhenItsReleaserEnds) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    const TaskGraph g = RandomGraph(seed);
    const TaskTimes times = RunFluid(g);
    std::set<std::pair<int32_t, int32_t>> edges(g.edges.begin(), g.edges.end());
    for (size_t t = 0; t < g.tasks.size(); ++t) {
      const int32_t by = times.released_by[t];
      if (by < 0) {
        EXPECT_EQ(times.start[t], Duration());
        continue;
      }
      EXPECT_EQ(times.start[t], times.end[static_cast<size_t>(by)]);
      EXPECT_TRUE(edges.count({by, static_cast<int32_t>(t)}));
    }
  }
}

TEST(Fluid, NoTaskIsFasterThanAlone) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    const TaskGraph g = RandomGraph(seed);
    const TaskTimes times = RunFluid(g);
    for (size_t t = 0; t < g.tasks.size(); ++t) {
      const auto templ = static_cast<size_t>(g.tasks[t].templ);
      EXPECT_GE(times.end[t] - times.start[t], g.templates[templ].demand.time);
    }
  }
}

// A set of tasks that come and go at random, with the speeds that hold after each change.
class ComeAndGo {
 public:
  explicit ComeAndGo(uint32_t seed)
      : graph_(RandomGraph(seed)), set_(graph_, graph_.templates), random_(seed) {}

  // Returns whether a task was added, else one was removed.
  bool Change() {
    const bool add = slots_.empty() || (slots_.size() < 12 && random_() % 2 == 0);
    std::vector<int32_t> changed;
    now_ += 1000;
    if (add) {
      const auto task = static_cast<int32_t>(random_() % graph_.tasks.size());
      set_.Add(task, now_, changed);
      slots_[changed.front()] = static_cast<size_t>(task);
    } else {
      const auto at = std::next(slots_.begin(), static_cast<int>(random_() % slots_.size()));
      set_.Remove(at->first, now_, changed);
      slots_.erase(at);
    }
    return add;
  }

  std::vector<size_t> tasks() const {
    std::vector<size_t> list;
    for (const auto& [slot, task] : slots_) list.push_back(task);
    return list;
  }
  std::vector<double> speeds() const {
    std::vector<double> list;
    for (const auto& [slot, task] : slots_) list.push_back(set_.running(slot).speed);
    return list;
  }
  const TaskGraph& graph() const { return graph_; }

 private:
  TaskGraph graph_;
  FluidSet set_;
  std::mt19937 random_;
  std::map<int32_t, size_t> slots_;
  int64_t now_ = 0;
};

TEST(FluidSet, NeverMovesMoreThanACapacityAndStaysFair) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    ComeAndGo set(seed);
    for (int i = 0; i < 60; ++i) {
      set.Change();
      const std::vector<size_t> tasks = set.tasks();
      const std::vector<double> speeds = set.speeds();
      const std::vector<double> fair = FairSpeeds(set.graph(), tasks);
      std::map<size_t, double> moved;
      for (size_t t = 0; t < tasks.size(); ++t) {
        ASSERT_NEAR(speeds[t], fair[t], 1e-9) << "seed " << seed << ", change " << i;
        for (const auto& [r, rate] : UsesOf(set.graph(), tasks[t])) moved[r] += speeds[t] * rate;
      }
      for (const auto& [r, rate] : moved) {
        ASSERT_LE(rate, set.graph().capacity[r % kResources] * (1 + 1e-9));
      }
    }
  }
}

// With one resource, who comes slows the others or none, and who leaves speeds them up or none.
TEST(FluidSet, SpeedsAreMonotoneOnOneResource) {
  TaskGraph g;
  g.ranks = 1;
  g.capacity = {100, 100, 100, 100};
  for (int i = 0; i < 8; ++i) AddTask(g, 0, AddTemplate(g, Duration(1000), {0, 0, 10.0 + 9 * i}));
  FluidSet set(g, g.templates);
  std::vector<int32_t> slots;
  double level = 1;
  for (int32_t i = 0; i < 8; ++i) {
    std::vector<int32_t> changed;
    set.Add(i, i, changed);
    slots.push_back(changed.front());
    EXPECT_LE(set.running(slots.front()).speed, level);
    level = set.running(slots.front()).speed;
  }
  EXPECT_NEAR(level, 100.0 / (8 * 10 + 9 * 28), 1e-12);
  for (int32_t i = 7; i > 0; --i) {
    std::vector<int32_t> changed;
    set.Remove(slots[static_cast<size_t>(i)], 10, changed);
    EXPECT_GE(set.running(slots.front()).speed, level);
    level = set.running(slots.front()).speed;
  }
  EXPECT_EQ(level, 1);
}

}  // namespace
}  // namespace pipescope
