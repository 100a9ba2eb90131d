#include "schedules/costs.h"

#include <fstream>

#include "tests/schedules/testing.h"

namespace pipescope::schedules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Write(const std::string& text) {
  const std::string path = testing::TempDir() + "costs.yaml";
  std::ofstream(path) << text;
  return path;
}

std::string ErrorOf(const std::string& text) {
  const auto costs = ReadCosts(text);
  return costs ? "no error" : costs.error().ToString();
}

TEST(Costs, Defaults) {
  const Costs costs;
  EXPECT_EQ(costs.Backward(0), 2);
  EXPECT_EQ(costs.Overlapped(0, 0), 3);
  EXPECT_EQ(costs.comm, 0);
}

TEST(Costs, Inline) {
  const auto costs = ReadCosts("F=10,I=12,W=8,comm=0.5");
  ASSERT_TRUE(costs);
  EXPECT_EQ(costs->Forward(0), 10);
  EXPECT_EQ(costs->Backward(0), 20);
  EXPECT_EQ(costs->Overlapped(0, 0), 30);
  EXPECT_EQ(costs->comm, 0.5);
  EXPECT_EQ(ReadCosts("B=7,FB=1")->Overlapped(3, 3), 1);
}

TEST(Costs, InlineErrors) {
  EXPECT_THAT(ErrorOf("F=1,f=2"), HasSubstr("--cost f: unknown cost; did you mean 'F'?"));
  EXPECT_THAT(ErrorOf("F=-1"), HasSubstr("--cost F: '-1': expected a number from 0"));
  EXPECT_THAT(ErrorOf("F=nan"), HasSubstr("expected a number"));
  EXPECT_THAT(ErrorOf("F=1e300"), HasSubstr("expected a number"));
  EXPECT_THAT(ErrorOf("F=1,F=2"), HasSubstr("is given twice"));
  EXPECT_THAT(ErrorOf("F=1,W"), HasSubstr("expected NAME=NUMBER"));
  EXPECT_THAT(ErrorOf("F=1,,W=1"), HasSubstr("expected NAME=NUMBER"));
  EXPECT_THAT(ErrorOf("=1"), HasSubstr("unknown cost"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("is empty"));
}

TEST(Costs, File) {
  const auto costs = ReadCosts(Write("F: [1, 2]\nI: 3\ncomm: 0.25\n"));
  ASSERT_TRUE(costs);
  EXPECT_THAT(costs->forward, ElementsAre(1, 2));
  EXPECT_EQ(costs->Backward(1), 4);
  EXPECT_TRUE(CheckCosts(*costs, 2));
  EXPECT_THAT(CheckCosts(*costs, 3).error().message,
              HasSubstr("cost F: a list of 2 numbers; expected one number, or one for each of the "
                        "3 stages"));
  EXPECT_TRUE(ReadCosts(Write(R"({"F": 1.5, "B": [1, 2, 3]})")));
}

TEST(Costs, FileErrors) {
  EXPECT_THAT(ErrorOf(Write("F: [1, x]\n")), HasSubstr("costs.yaml:1:4: F: 'x': expected"));
  EXPECT_THAT(ErrorOf(Write("G: 1\n")), HasSubstr("unknown cost"));
  EXPECT_THAT(ErrorOf(Write("comm: [1, 2]\n")), HasSubstr("not a list"));
  EXPECT_THAT(ErrorOf(Write("F: []\n")), HasSubstr("expected a number"));
  EXPECT_THAT(ErrorOf(Write("F: {a: 1}\n")), HasSubstr("expected a number"));
  EXPECT_THAT(ErrorOf(Write("F: [[1]]\n")), HasSubstr("expected a number"));
  EXPECT_THAT(ErrorOf(Write("[1, 2]\n")), HasSubstr("expected a mapping"));
  EXPECT_THAT(ErrorOf("no/such/file"), HasSubstr("cannot be opened"));
}

}  // namespace
}  // namespace pipescope::schedules
