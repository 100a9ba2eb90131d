// Every scenario gives exactly the text beside it; README.md says how to update.
#include <gtest/gtest.h>

#include "sim/base/file.h"
#include "tests/scenarios/scenario.h"

namespace pipescope {
namespace {

constexpr const char* kFolder = "tests/scenarios";

class Scenario : public testing::TestWithParam<std::string> {};

TEST_P(Scenario, GivesWhatIsExpected) {
  const auto text = RunScenario(kFolder, GetParam());
  ASSERT_TRUE(text) << text.error().ToString();
  const auto expected = ReadFile(std::string(kFolder) + "/" + GetParam() + ".expected");
  ASSERT_TRUE(expected) << expected.error().ToString();
  EXPECT_EQ(*text, *expected);
}

INSTANTIATE_TEST_SUITE_P(All, Scenario, testing::ValuesIn(ScenarioNames(kFolder)),
                         [](const auto& scenario) { return "_" + scenario.param; });

TEST(Scenarios, AreThere) { EXPECT_GE(ScenarioNames(kFolder).size(), 10u); }

}  // namespace
}  // namespace pipescope
