// A step's figures alone are those of its whole result, to the byte, and fail where it does.
#include "sim/result/sweep_point.h"
#include "sim/simulate.h"
#include "tests/sim/random_case.h"
#include "tests/sim/testing.h"

namespace pipescope {
namespace {

// All of them, as a sweep stores them.
std::string Line(const StepFigures& figures) {
  SweepPoint point;
  point.figures = figures;
  return SweepLine(point, "");
}

void ExpectSame(const Experiment& e, const std::string& schedule, Fidelity fidelity) {
  EXPECT_EQ(Line(Must(SimulateFigures(e, schedule, fidelity))),
            Line(FiguresOf(Must(Simulate(e, schedule, fidelity)))))
      << NameOf(fidelity);
}

TEST(Figures, AreThoseOfTheWholeResult) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const Case c = RandomCase(seed);
    SCOPED_TRACE(Describe(c));
    Experiment e = ExperimentOf(c);
    ExpectSame(e, c.schedule, Fidelity::kSchedule);
    ExpectSame(e, c.schedule, Fidelity::kOp);
    e.enforce_memory = false;
    e.cluster.gpu.memory = e.reserved;
    ExpectSame(e, c.schedule, Fidelity::kOp);
    EXPECT_FALSE(Must(SimulateFigures(e, c.schedule)).fits);
  }
}

// There a whole result counts what the links carry, and figures do not.
TEST(Figures, AreThoseOfTheWholeResultAtFlow) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const Case c = RandomFewGpus(seed);
    SCOPED_TRACE(Describe(c));
    ExpectSame(ExperimentOf(c), c.schedule, Fidelity::kFlow);
  }
}

TEST(Figures, FailWhereTheWholeResultDoes) {
  Experiment full = MakeExperiment({});
  full.cluster.gpu.memory = full.reserved;
  Experiment uneven = MakeExperiment({});
  uneven.parallel.expert = 3;
  for (const auto& [e, schedule, why] :
       {std::tuple{full, "1f1b", "needs"}, std::tuple{MakeExperiment({}), "nonesuch", "nonesuch"},
        std::tuple{uneven, "1f1b", "expert"}}) {
    const auto whole = Simulate(e, schedule);
    const auto figures = SimulateFigures(e, schedule);
    ASSERT_FALSE(whole);
    ASSERT_FALSE(figures);
    EXPECT_EQ(figures.error().ToString(), whole.error().ToString());
    EXPECT_THAT(figures.error().message, testing::HasSubstr(why));
  }
}

}  // namespace
}  // namespace pipescope
