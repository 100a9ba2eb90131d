// Grids, workers, lines and the journal of a sweep.
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "sim/result/sweep_point.h"
#include "sim/sweep/grid.h"
#include "sim/sweep/identity.h"
#include "sim/sweep/journal.h"
#include "sim/sweep/workers.h"

namespace pipescope::sweep {
namespace {

std::string Scratch(const std::string& name) { return testing::TempDir() + "/" + name; }

void Write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

TEST(Grid, CombinesAxesTheLastVariesFastest) {
  const auto grid = Grid::Make({ParseGrid("a=1,2").value(), ParseList("b=x,y,z;c=4,5,6").value()});
  ASSERT_TRUE(grid);
  ASSERT_EQ(grid->size(), 6);
  using Row = std::vector<Override>;
  EXPECT_EQ(grid->At(0), (Row{{"a", "1"}, {"b", "x"}, {"c", "4"}}));
  EXPECT_EQ(grid->At(2), (Row{{"a", "1"}, {"b", "z"}, {"c", "6"}}));
  EXPECT_EQ(grid->At(3), (Row{{"a", "2"}, {"b", "x"}, {"c", "4"}}));
}

TEST(Grid, KeepsCommasInsideBracketsAndQuotes) {
  const auto axis = ParseGrid("layouts=[\"Et*4|,x\"],[a, b],'c,d'");
  ASSERT_TRUE(axis);
  ASSERT_EQ(axis->rows.size(), 3u);
  EXPECT_EQ(axis->rows[1].front(), "[a, b]");
}

TEST(Grid, RefusesWhatMakesNoSense) {
  EXPECT_FALSE(ParseGrid("sms"));
  EXPECT_FALSE(ParseGrid("=1"));
  EXPECT_FALSE(ParseGrid("a=1,,2"));
  EXPECT_FALSE(ParseGrid("a=1,1"));
  EXPECT_FALSE(ParseList("a=1,2;b=1"));
  const auto a = ParseGrid("a=1,2").value();
  EXPECT_FALSE(Grid::Make({a, a}));
  EXPECT_FALSE(Grid::Make({a, ParseGrid("a.b=1").value()}));
  std::string many = "=0";
  for (int i = 1; i < 2000; ++i) many += "," + std::to_string(i);
  EXPECT_FALSE(Grid::Make({ParseGrid("x" + many).value(), ParseGrid("y" + many).value()}));
}

TEST(Grid, ReadsListsFromFiles) {
  const std::string path = Scratch("plans.csv");
  Write(path, "p.q, r\n1, [2,3]\n\n4, 5\n");
  const auto axis = ReadList(path);
  ASSERT_TRUE(axis);
  EXPECT_EQ(axis->paths, (std::vector<std::string>{"p.q", "r"}));
  EXPECT_EQ(axis->rows[0][1], "[2,3]");
  Write(path, "p,q\n1,2\n3\n");
  const auto bad = ReadList(path);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().where.line, 3);
}

TEST(Workers, AreReadFromEveryLauncher) {
  using Environment = std::map<std::string, std::string>;
  const auto read = [](const Environment& environment) {
    return WorkerFromEnvironment([&](const char* name) -> const char* {
      const auto at = environment.find(name);
      return at == environment.end() ? nullptr : at->second.c_str();
    });
  };
  EXPECT_EQ(read({})->size, 1);
  EXPECT_EQ(read({{"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "3"}})->rank, 2);
  EXPECT_EQ(read({{"PMI_RANK", "1"}, {"PMI_SIZE", "4"}})->size, 4);
  EXPECT_EQ(read({{"SLURM_PROCID", "1"}, {"SLURM_STEP_NUM_TASKS", "2"}})->rank, 1);
  EXPECT_EQ(read({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}})->size, 1);  // a batch script
  EXPECT_FALSE(read({{"PMI_RANK", "4"}, {"PMI_SIZE", "4"}}));
  EXPECT_FALSE(read({{"PMI_RANK", "-1"}, {"PMI_SIZE", "4"}}));
  EXPECT_FALSE(ParseWorker("3/3"));
  EXPECT_FALSE(ParseWorker("x/3"));
}

SweepPoint Point(int64_t index) {
  SweepPoint p;
  p.index = index;
  p.overrides = {{"a.b", "\"<\n"}};
  p.figures.schedule = "1f1b";
  p.figures.step_time = Duration(17023412345678);
  p.figures.breakdown.bubble = Duration(1);
  p.figures.memory_peak = Bytes(int64_t{1} << 40);
  p.figures.mfu_causal = 0.1 + 0.2;
  return p;
}

TEST(Line, ReadsBackAsItWasWritten) {
  const std::string line = SweepLine(Point(7), "cafe");
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto stored = ReadSweepLine(line);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->sweep, "cafe");
  EXPECT_EQ(stored->point.figures.step_time, Point(7).figures.step_time);
  EXPECT_EQ(SweepLine(stored->point, stored->sweep), line);
  SweepPoint refused = Point(1);
  refused.error = "does not fit";
  EXPECT_EQ(ReadSweepLine(SweepLine(refused, "x"))->point.error, "does not fit");
}

TEST(Line, RefusesEveryPartOfItself) {
  const std::string line = SweepLine(Point(7), "cafe");
  for (size_t length = 0; length < line.size(); ++length) {
    EXPECT_FALSE(ReadSweepLine(line.substr(0, length))) << length;
  }
  EXPECT_FALSE(ReadSweepLine("[1]"));
  EXPECT_FALSE(ReadSweepLine("{\"index\":-1,\"overrides\":{},\"sweep\":\"x\",\"error\":\"\"}"));
}

TEST(Journal, DropsATornLineWhereverItWasCut) {
  const std::string first = SweepLine(Point(0), "id"), second = SweepLine(Point(1), "id");
  for (size_t cut = 0; cut <= second.size(); cut += 37) {
    const std::string path = Scratch("torn.jsonl");
    Write(path, first + "\n" + second.substr(0, cut));
    Lines lines;
    ASSERT_TRUE(ReadLines(path, "id", 9, Foreign::kRefuse, lines));
    EXPECT_EQ(lines.size(), 1u) << cut;
    Journal journal;
    ASSERT_TRUE(journal.Open(path, true));
    ASSERT_TRUE(journal.Append(second));
    ASSERT_TRUE(journal.Close());
    ASSERT_TRUE(ReadLines(path, "id", 9, Foreign::kRefuse, lines));
    EXPECT_EQ(lines.size(), 2u) << cut;
    EXPECT_EQ(lines[1], second);
  }
}

TEST(Journal, TellsOtherSweepsAndOtherFilesApart) {
  const std::string path = Scratch("foreign.jsonl");
  Write(path, SweepLine(Point(0), "other") + "\n");
  Lines lines;
  const auto refused = ReadLines(path, "id", 9, Foreign::kRefuse, lines);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("another sweep"), std::string::npos);
  EXPECT_TRUE(ReadLines(path, "id", 9, Foreign::kSkip, lines));
  EXPECT_TRUE(lines.empty());
  Write(path, "name: not a sweep\n");
  EXPECT_FALSE(ReadLines(path, "id", 9, Foreign::kRefuse, lines));
}

TEST(Journal, IsOneProcessesAtATime) {
  const std::string path = Scratch("locked.jsonl");
  Journal one, two;
  ASSERT_TRUE(one.Open(path, false));
  const auto refused = two.Open(path, true);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("another process"), std::string::npos);
}

TEST(Identity, ChangesWithWhateverPointsDependOn) {
  const std::string file = Scratch("id.yaml"), model = Scratch("id_model.json");
  Write(file, "name: x\nmodel: ./id_model.json\n");
  Write(model, "{}");
  const Grid grid = Grid::Make({ParseGrid("a=1,2").value()}).value();
  const Grid other = Grid::Make({ParseGrid("a=1,3").value()}).value();
  const auto id = [&](const Grid& g, const std::string& fidelity = "op") {
    return IdentityOf(file, {"b=1"}, g, fidelity, "0.1").value();
  };
  const std::string before = id(grid);
  EXPECT_EQ(before, id(grid));
  EXPECT_NE(before, id(other));
  EXPECT_NE(before, id(grid, "flow"));
  EXPECT_NE(before, IdentityOf(file, {"b=2"}, grid, "op", "0.1").value());
  EXPECT_NE(before, IdentityOf(file, {"b=1"}, grid, "op", "0.2").value());
  Write(model, "{ }");
  EXPECT_NE(before, id(grid));
}

}  // namespace
}  // namespace pipescope::sweep
