// The worked example of schedules/README.md, put through what the registry's families go through.
#include <gtest/gtest.h>

#include "schedules/check.h"
#include "schedules/evaluate.h"
#include "tests/examples/gpipe_lifo.h"

namespace pipescope::schedules {
namespace {

TEST(AddASchedule, IsLegalAndEqualsItsClosedForm) {
  const Family family = GPipeLifoFamily();
  const Costs costs{.forward = {1}, .input_grad = {1.2}, .weight_grad = {0.7}};
  for (int ranks = 1; ranks <= 8; ++ranks) {
    for (const int microbatches : {1, 2, 7, 16}) {
      const Options options{ranks, microbatches};
      const Schedule schedule = family.generate(options).value();
      EXPECT_TRUE(Check(schedule).empty());
      const Prepared prepared = Prepare(schedule).value();
      const Timing timing = Evaluate(prepared, costs);
      for (int r = 0; r < ranks; ++r) {
        const size_t at = static_cast<size_t>(r);
        EXPECT_NEAR(timing.bubble[at], *family.exact_bubble(options, costs), 1e-9);
        EXPECT_EQ(prepared.peak_activations[at], microbatches);
      }
    }
  }
}

}  // namespace
}  // namespace pipescope::schedules
