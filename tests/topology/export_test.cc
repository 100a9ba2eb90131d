// What is exported, as its readers see it: SimGrid loads the platform and moves bytes over it.
#include "topology/export/export.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <simgrid/s4u.hpp>

#include "tests/topology/dot_grammar.h"
#include "tests/topology/make.h"
#include "topology/load.h"
#include "topology/route.h"

namespace pipescope::topology {
namespace {

struct Pair {
  int from, to;
  double seconds;  // of one transfer alone
};

// One engine a process is all that SimGrid allows.
std::vector<Pair> Transfers(const Cluster& cluster, double bytes, int count) {
  const std::string file = ::testing::TempDir() + "/platform.xml";
  std::ofstream(file) << SimGridXml(cluster).value();
  int argc = 1;
  char name[] = "export_test";
  char* argv[] = {name, nullptr};
  simgrid::s4u::Engine engine(&argc, argv);
  engine.load_platform(file);
  EXPECT_EQ(static_cast<int>(engine.get_host_count()), cluster.gpus());
  std::mt19937 random(2);
  std::uniform_int_distribution<int> pick(0, cluster.gpus() - 1);
  std::vector<Pair> pairs;
  while (static_cast<int>(pairs.size()) < count) {
    const int a = pick(random);
    const int b = pick(random);
    if (a != b) pairs.push_back({a, b, 0});
  }
  const auto host = [&](int gpu) { return engine.host_by_name("gpu" + std::to_string(gpu)); };
  simgrid::s4u::Actor::create("driver", host(0), [&] {
    for (Pair& pair : pairs) {
      const double start = simgrid::s4u::Engine::get_clock();
      simgrid::s4u::Comm::sendto(host(pair.from), host(pair.to), static_cast<uint64_t>(bytes));
      pair.seconds = simgrid::s4u::Engine::get_clock() - start;
    }
  });
  engine.run();
  return pairs;
}

TEST(SimGrid, MovesBytesAsRoutesSay) {
  Cluster cluster = MakeMultiPlane(12, 4);
  cluster.fabric.switch_ports = 8;
  cluster.faults.slow_nics = {{{3, 1}, GigabytesPerSecond(10)}};
  cluster.faults.dead_nics = {{5, 2}};
  ASSERT_TRUE(CheckCluster(cluster));
  const Router router(cluster);
  const double bytes = 1e6;
  for (const Pair& pair : Transfers(cluster, bytes, 200)) {
    const Route route = router.Between(pair.from, pair.to);
    const double expected = route.latency.seconds() + bytes / route.bottleneck.value();
    EXPECT_NEAR(pair.seconds, expected, 1e-9 + expected * 1e-6) << pair.from << " " << pair.to;
  }
}

TEST(SimGrid, RefusesWhatWouldBeHuge) {
  EXPECT_EQ(SimGridXml(LoadCluster("h800_2048_fat_tree").value()).error().message,
            "2048 GPUs are 4.19e+06 routes in SimGrid's XML; at most 512 GPUs are written unless "
            "--limit says more");
}

int Count(const std::string& text, const std::string& word) {
  int count = 0;
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

// Every shipped cluster and every kind of name, read back by a strict reader: edges join nodes that
// are there, and what is in a name stays in it.
TEST(Dot, IsOfTheLanguage) {
  for (const std::string& name : ShippedClusters()) {
    const std::string text = Dot(LoadCluster(name).value()).value();
    const auto picture = DotReader(text).Read();
    ASSERT_TRUE(picture.has_value()) << text;
    EXPECT_EQ(static_cast<int>(picture->nodes.size()), Count(text, "fillcolor"));
    EXPECT_EQ(static_cast<int>(picture->edges.size()), Count(text, " -- "));
    for (const auto& [node, attributes] : picture->nodes) EXPECT_TRUE(attributes.contains("label"));
  }
  Cluster odd = LoadCluster("h100_dgx_pod").value();
  odd.name = "a \"quoted\" \\ name; with ] -- } and\na line\x01";
  odd.faults.dead_nics = {{7, 0}};
  EXPECT_TRUE(DotReader(Dot(odd).value()).Read().has_value());
}

TEST(Dot, TheReaderIsStrict) {
  EXPECT_TRUE(DotReader("graph g { a [x=1]; b [y=\"z\\\"\"]; a -- b [label=\"2\"]; }").Read());
  for (const char* wrong :
       {"", "graph g {", "graph g { a [x=1] }", "graph g { a [x=1]; } b", "graph g { a [x=]; }",
        "graph g { a [x=1]; a -- b [l=1]; }", "graph g { a [x=\"1]; }", "graph g { 1a [x=1]; }",
        "graph g { a [x=1]; a [x=2]; }", "digraph g { a [x=1]; }", "graph g { a [x=#1]; }"}) {
    EXPECT_FALSE(DotReader(wrong).Read().has_value()) << wrong;
  }
}

TEST(Dot, FoldsWhatIsAlike) {
  const std::string pod = Dot(LoadCluster("h100_dgx_pod").value()).value();
  EXPECT_EQ(Count(pod, "fillcolor"), 9);  // four units, their leaves, the spines
  EXPECT_EQ(Count(pod, " -- "), 8);
  EXPECT_NE(pod.find("32 nodes\\n0 to 31"), std::string::npos);
  EXPECT_NE(pod.find("8 switches\\nleaf 0 ... leaf 7"), std::string::npos);
  EXPECT_NE(pod.find("16 switches"), std::string::npos);
  const std::string tree = Dot(LoadCluster("h800_2048_fat_tree").value()).value();
  EXPECT_EQ(Count(tree, "fillcolor"), 64 + 64 + 1);
}

TEST(Dot, KeepsFaultsApartAndRefusesCrowds) {
  Cluster cluster = LoadCluster("h100_dgx_pod").value();
  cluster.faults.dead_nics = {{7, 0}};
  const std::string pod = Dot(cluster).value();
  EXPECT_NE(pod.find("dead"), std::string::npos);
  EXPECT_GT(Count(pod, "fillcolor"), 9);
  Cluster torus = MakeCluster(512);
  torus.fabric.kind = FabricKind::kTorus;
  torus.fabric.dimensions = {8, 8, 8};
  torus.fabric.switch_nics = 8;
  EXPECT_EQ(Dot(torus).error().message,
            "the picture has 1024 boxes after folding what is alike; at most 200 are drawn unless "
            "--limit says more");
}

}  // namespace
}  // namespace pipescope::topology
