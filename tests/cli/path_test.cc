// Paths: of the command from where the user stands, in an experiment from its own folder.
#include <filesystem>

#include "tests/cli/run.h"

namespace pipescope::cli {
namespace {

class Paths : public CliTest {
 protected:
  Paths() {
    Write("runs/small.yaml", SmallExperiment());
    Write("runs/small_topology.yaml", SmallTopology());
  }

  void ExpectCluster(const std::vector<std::string>& overrides, const std::string& cluster) {
    std::vector<std::string> arguments = {"simulate", "runs/small.yaml"};
    for (const std::string& override : overrides) {
      arguments.push_back("--set");
      arguments.push_back(override);
    }
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit, 0) << ran.err;
    EXPECT_NE(ran.out.find("(" + cluster + ")"), ran.out.npos) << ran.out.substr(0, 500);
  }
};

TEST_F(Paths, AnExperimentsOwnTopologyLiesBesideIt) { ExpectCluster({}, "small"); }

TEST_F(Paths, SetCountsFromTheExperimentsFolderToo) {
  Write("fabrics/other.yaml", SmallTopology("name: small", "name: other"));
  ExpectCluster({"topology=../fabrics/other.yaml"}, "other");
  ExpectCluster({"topology=" + folder + "/fabrics/other.yaml"}, "other");
  ExpectRefused({"simulate", "runs/small.yaml", "--set", "topology=fabrics/other.yaml"},
                {"runs/fabrics/other.yaml: cannot be opened"});
}

TEST_F(Paths, AModelBesideTheExperiment) {
  Write("runs/models/config.json", "{\"model_type\": \"deepseek_v3\"}");
  ExpectRefused({"simulate", "runs/small.yaml", "--set", "model=models/config.json"},
                {"runs/models/config.json:1:1: hidden_size: is missing"});
}

TEST_F(Paths, UnderBazelRunPathsCountFromWhereTheUserStands) {
  std::filesystem::create_directory(folder + "/user");
  environment["BUILD_WORKING_DIRECTORY"] = folder + "/user";
  const Ran ran = Run({"simulate", "../runs/small.yaml", "--html", "report.html"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(Made(), std::vector<std::string>{"user/report.html"});
}

TEST_F(Paths, AFolderThatIsGone) {
  environment["BUILD_WORKING_DIRECTORY"] = folder + "/gone";
  ExpectRefused({"model", "list"}, {"cannot enter " + folder + "/gone"});
}

TEST_F(Paths, NamesWithSpacesAndQuotes) {
  Write("it's a run/a b.yaml", SmallExperiment("small_topology", "t o"));
  Write("it's a run/t o.yaml", SmallTopology());
  const Ran ran = Run({"simulate", "it's a run/a b.yaml", "-o", "o u t.txt"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.out, "");
  EXPECT_NE(Read("o u t.txt").find("'it'\\''s a run/a b.yaml'"), std::string::npos);
}

}  // namespace
}  // namespace pipescope::cli
