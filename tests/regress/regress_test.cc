// `regress` fails when it must: a baseline that is beaten by today's step, in each figure.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

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

TEST_F(Regress, AFigureMayHaveAToleranceOfItsOwn) {
  Json close = Updated();
  for (const char* figure : kFigures) {
    close["cases"][1][figure] = close["cases"][1][figure].get<double>() * 0.999;
  }
  close["cases"][1]["tolerance"] = 0.01;
  close["cases"][1]["tolerances"] = {{"bubble_s", 0.0001}};
  const Ran ran = Check(close);
  EXPECT_EQ(ran.exit, 1);
  EXPECT_NE(ran.out.find("WORSE  bubble_s"), ran.out.npos) << ran.out;
  EXPECT_EQ(Count(ran.out, "WORSE"), 1u) << ran.out;
}

// Slower GEMMs are found where they are, and said in every format.
TEST_F(Regress, ADifferenceIsExplained) {
  Json slower = Updated();
  slower["cases"][0]["set"] = {"costs.gemm_main_loop=0.7"};
  Write("b.json", slower.dump());
  const Ran ran =
      Run({"regress", "--baseline", "b.json", "--junit", "j.xml", "--markdown", "m.md"});
  EXPECT_EQ(ran.exit, 1);
  for (const std::string& text : {ran.out, Read("j.xml"), Read("m.md")}) {
    EXPECT_NE(text.find(" grew most, "), text.npos) << text;
    EXPECT_NE(text.find(" of rank "), text.npos) << text;
    EXPECT_NE(text.find("Its actions "), text.npos) << text;
  }
  EXPECT_NE(Read("m.md").find("**1 of 6 figures are worse**"), std::string::npos) << Read("m.md");
  EXPECT_EQ(Count(Read("m.md"), "- deepseek\\_v3\\_h800 1f1b costs"), 2u) << Read("m.md");
}

TEST_F(Regress, AFullerRankIsNamed) {
  Json fuller = Updated();
  fuller["cases"][0]["set"] = {"training.micro_batch_size=2"};
  Write("b.json", fuller.dump());
  const Ran ran = Run({"regress", "--baseline", "b.json"});
  EXPECT_NE(ran.out.find("rank 1: peak "), ran.out.npos) << ran.out;
  EXPECT_NE(ran.out.find("its activations "), ran.out.npos) << ran.out;
}

// A baseline of a profiler's trace: nothing is simulated, there is no memory, the rest is the same.
TEST_F(Regress, TracesAreHeldToTheirBaseline) {
  const std::string trace = std::filesystem::absolute("tests/sim/trace/data/small_trace.json");
  Write("b.json", Json{{"cases", {{{"trace", {trace}}, {"tolerance", 0.02}}}}}.dump());
  ASSERT_EQ(Run({"regress", "--baseline", "b.json", "--update"}).exit, 0);
  EXPECT_EQ(Run({"regress", "--baseline", "b.json"}).exit, 0);
  Json good = Json::parse(Read("b.json"));
  EXPECT_FALSE(good["cases"][0].contains("memory_peak_bytes"));
  good["cases"][0]["step_time_s"] = good["cases"][0]["step_time_s"].get<double>() * 0.9;
  good["cases"][0]["ranks"][0]["busy_s"] = good["cases"][0]["ranks"][0]["busy_s"].get<double>() / 2;
  Write("b.json", good.dump());
  const Ran ran = Run({"regress", "--baseline", "b.json"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_NE(ran.out.find("trace small_trace"), ran.out.npos) << ran.out;
  EXPECT_NE(ran.out.find("rank 0: works "), ran.out.npos) << ran.out;
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

// The example repository holds, by the very command that its CI files run.
TEST_F(Regress, TheExampleRepositoryHoldsAsItsCiRunsIt) {
  const std::string example = "tests/regress/example_workspace/";
  const auto shipped = [&](const std::string& name) {
    std::ifstream file(Shipped(example + name));
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  for (const char* file : {"baseline.json", "my_run.yaml", "my_cluster.yaml"}) {
    ASSERT_FALSE(shipped(file).empty()) << file;
    Write(file, shipped(file));
  }
  for (const char* ci : {".github/workflows/pipescope.yml", ".gitlab-ci.yml"}) {
    const std::string text = shipped(ci);
    const std::string binary = "bazel-bin/cli/pipescope ";
    const size_t at = text.find(binary);
    ASSERT_NE(at, text.npos) << ci;
    std::istringstream line(
        text.substr(at + binary.size(), text.find('\n', at) - at - binary.size()));
    const std::vector<std::string> arguments(std::istream_iterator<std::string>(line), {});
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit, 0) << ci << ran.out << ran.err;
    EXPECT_NE(Read("summary.md").find("6 figures, none worse"), std::string::npos) << ci;
    EXPECT_NE(Read("junit.xml").find("failures=\"0\""), std::string::npos) << ci;
  }
}

}  // namespace
}  // namespace pipescope::cli
