// `regress` fails when it must: a baseline that is beaten by today's step, in each figure.
#include <nlohmann/json.hpp>

#include "tests/cli/run.h"

namespace pipescope::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFigures[] = {"step_time_s", "bubble_s", "memory_peak_bytes"};

class Regress : public CliTest {
 protected:
  // V3's experiment under two schedules, without figures.
  Json Fresh() const {
    Json cases = Json::array();
    for (const char* schedule : {"1f1b", "dualpipe"}) {
      cases.push_back({{"experiment", V3()}, {"schedule", schedule}});
    }
    return {{"cases", cases}};
  }

  Json Updated() {
    Write("b.json", Fresh().dump());
    const Ran ran = Run({"regress", "--baseline", "b.json", "--update"});
    EXPECT_EQ(ran.exit, 0) << ran.err;
    EXPECT_EQ(ran.err, "pipescope: wrote b.json\n");
    return Json::parse(Read("b.json"));
  }

  Ran Check(const Json& baseline) {
    Write("b.json", baseline.dump());
    return Run({"regress", "--baseline", "b.json", "--junit", "junit.xml"});
  }
};

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_F(Regress, HoldsToWhatItMeasured) {
  const Ran ran = Check(Updated());
  EXPECT_EQ(ran.exit, 0) << ran.out;
  EXPECT_NE(ran.out.find("6 figures, none worse"), ran.out.npos) << ran.out;
  EXPECT_NE(Read("junit.xml").find("tests=\"6\" failures=\"0\""), std::string::npos);
}

TEST_F(Regress, FailsWhereAFigureGrew) {
  const Json good = Updated();
  for (const std::string figure : kFigures) {
    Json better = good;
    better["cases"][1][figure] = good["cases"][1][figure].get<double>() * 0.999;
    const Ran ran = Check(better);
    EXPECT_EQ(ran.exit, 1) << figure;
    EXPECT_NE(ran.out.find("WORSE  " + figure), ran.out.npos) << ran.out;
    EXPECT_NE(ran.out.find("1 of 6 figures are worse"), ran.out.npos) << ran.out;
    const std::string junit = Read("junit.xml");
    EXPECT_NE(junit.find("tests=\"6\" failures=\"1\""), junit.npos);
    EXPECT_EQ(Count(junit, "<failure message=\"" + figure + " got worse: "), 1u) << junit;
    EXPECT_NE(junit.find("classname=\"deepseek_v3_h800 dualpipe\" name=\"" + figure + "\">"),
              junit.npos);
  }
}

TEST_F(Regress, AToleranceAllowsForIt) {
  Json close = Updated();
  close["cases"][1]["bubble_s"] = close["cases"][1]["bubble_s"].get<double>() * 0.999;
  close["cases"][1]["tolerance"] = 0.01;
  EXPECT_EQ(Check(close).exit, 0);
}

TEST_F(Regress, ACaseWithoutFiguresIsNoPass) {
  Json one_bare = Updated();
  one_bare["cases"].push_back({{"experiment", V3()}, {"schedule", "zb1p"}});
  Write("b.json", one_bare.dump());
  ExpectRefused({"regress", "--baseline", "b.json", "--junit", "junit.xml"},
                {"b.json: ", "case 'deepseek_v3_h800 zb1p' has no figures yet", "--update"});
}

TEST_F(Regress, UpdateIsStableToTheByte) {
  Updated();
  const std::string first = Read("b.json");
  EXPECT_EQ(Run({"regress", "--baseline", "b.json", "--update"}).exit, 0);
  EXPECT_EQ(Read("b.json"), first);
  EXPECT_TRUE(first.ends_with("}\n"));
}

TEST_F(Regress, UpdateKeepsOverridesAndTolerance) {
  Json with = Fresh();
  with["cases"][0]["set"] = {"communication.sms=24"};
  with["cases"][0]["tolerance"] = 0.02;
  Write("b.json", with.dump());
  ASSERT_EQ(Run({"regress", "--baseline", "b.json", "--update"}).exit, 0);
  const Json now = Json::parse(Read("b.json"));
  EXPECT_EQ(now["cases"][0]["set"], with["cases"][0]["set"]);
  EXPECT_EQ(now["cases"][0]["tolerance"], 0.02);
}

TEST_F(Regress, ABaselineThatIsWrong) {
  ExpectRefused({"regress", "--baseline", "no.json"}, {"no.json: cannot be opened"});
  ExpectRefused({"regress", "--baseline", Write("a.json", "{\"cases\": []}")},
                {"a.json:1:11: cases: holds no case"});
  ExpectRefused({"regress", "--baseline", Write("c.json", "{\"case\": []}")},
                {"c.json", "case: unknown name; did you mean 'cases'?"});
  Json wrong = Fresh();
  wrong["cases"][0]["bubble_s"] = "little";
  ExpectRefused({"regress", "--baseline", Write("d.json", wrong.dump())},
                {"d.json:1:", "cases[0].bubble_s: 'little': expected a number"});
}

TEST_F(Regress, AFailedUpdateLeavesTheBaseline) {
  Json gone = Fresh();
  gone["cases"][1]["experiment"] = "gone.yaml";
  const std::string text = gone.dump();
  Write("b.json", text);
  ExpectRefused({"regress", "--baseline", "b.json", "--update"}, {"gone.yaml: cannot be opened"});
  EXPECT_EQ(Read("b.json"), text);
}

}  // namespace
}  // namespace pipescope::cli
