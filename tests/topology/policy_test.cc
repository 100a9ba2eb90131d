// Policies of routing, faults, and fabrics that a file lists cable by cable.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include "tests/topology/make.h"
#include "topology/least_loaded.h"
#include "topology/load.h"
#include "topology/route.h"

namespace pipescope::topology {
namespace {

// Flows over each link when every GPU sends to the one half the cluster further.
std::vector<double> ShiftLoads(const Cluster& cluster, RoutePolicy policy) {
  const Router router(cluster, policy);
  std::vector<double> loads(static_cast<size_t>(router.links().size()));
  for (int gpu = 0; gpu < cluster.gpus(); ++gpu) {
    const Route route = router.Between(gpu, (gpu + cluster.gpus() / 2) % cluster.gpus());
    for (LinkId id : route.links) ++loads[static_cast<size_t>(id)];
  }
  return loads;
}

double Most(const std::vector<double>& loads) {
  return *std::max_element(loads.begin(), loads.end());
}

TEST(Links, AreDenseAndFindEachOther) {
  for (const std::string& name : ShippedClusters()) {
    const Cluster cluster = LoadCluster(name).value();
    const Router router(cluster);
    const LinkTable& links = router.links();
    for (LinkId id = 0; id < links.size(); ++id) {
      const Link link = links[id];
      ASSERT_EQ(links.Between(link.from, link.to), id);
      ASSERT_EQ(links.Between(link.to, link.from), id ^ 1);
      ASSERT_GT(link.capacity.value(), 0);
    }
  }
  EXPECT_EQ(Router(LoadCluster("h800_2048_fat_tree").value()).links().size(), 16384);
}

// A random hash throws n balls into n bins: some link gets several flows where the destination's
// own way gives each link one.
TEST(Policy, HashedWaysCollide) {
  const Cluster cluster = LoadCluster("h800_2048_fat_tree").value();
  EXPECT_EQ(Most(ShiftLoads(cluster, {})), 1);
  const auto hashed = ShiftLoads(cluster, {.choice = PathChoice::kHash});
  EXPECT_GE(Most(hashed), 3);
  EXPECT_LE(Most(hashed), 8);
  // Of balls in bins a share of about 1/e is left empty: of 32 ways up each of 64 leaves here.
  const Router router(cluster);
  const LinkTable& links = router.links();
  double idle = 0;
  double all = 0;
  for (LinkId id = links.size() - 2 * 2048; id < links.size(); id += 2) {
    ++all;
    idle += hashed[static_cast<size_t>(id)] == 0;
  }
  EXPECT_EQ(all, 2048);
  EXPECT_NEAR(idle / all, 0.368, 0.03);
  EXPECT_NE(hashed, ShiftLoads(cluster, {.choice = PathChoice::kHash, .seed = 1}));
  EXPECT_EQ(hashed, ShiftLoads(cluster, {.choice = PathChoice::kHash}));
}

TEST(Policy, LeastLoadedAvoidsWhatIsFull) {
  const Cluster cluster = LoadCluster("h800_2048_fat_tree").value();
  const Router router(cluster);
  LeastLoaded adaptive(router);
  std::vector<double> loads(static_cast<size_t>(router.links().size()));
  std::vector<int> order(static_cast<size_t>(cluster.gpus()));
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  std::shuffle(order.begin(), order.end(), std::mt19937(5));
  std::vector<double> hashed(loads.size());
  const Router hash(cluster, {.choice = PathChoice::kHash});
  for (size_t i = 0; i < order.size(); ++i) {
    const int to = order[(i + 1) % order.size()];
    const std::vector<LinkId>& way = adaptive.Choose(order[i], to, 1);
    adaptive.Load(way, 1);
    for (LinkId id : way) ++loads[static_cast<size_t>(id)];
    for (LinkId id : hash.Between(order[i], to).links) ++hashed[static_cast<size_t>(id)];
  }
  EXPECT_LE(Most(loads), 3);
  EXPECT_GT(Most(hashed), Most(loads));
}

TEST(Policy, SpreadConservesFlow) {
  Cluster tree = MakeCluster(40);
  tree.fabric.levels = 3;
  tree.fabric.switch_ports = 16;
  for (const Cluster& cluster : {tree, MakeCluster(256), MakeMultiPlane(64, 8)}) {
    const Router router(cluster);
    const int last = cluster.gpus() - 3;
    std::map<int, double> net;  // out minus in
    for (const auto& [link, share] : router.Spread(0, last)) {
      EXPECT_LE(share, 1 + 1e-9);
      net[router.links()[link].from] += share;
      net[router.links()[link].to] -= share;
    }
    for (const auto& [vertex, out] : net) {
      EXPECT_NEAR(out, vertex == 0 ? 1 : vertex == last ? -1 : 0, 1e-9);
    }
  }
}

constexpr const char* kIrregular = R"(name: irregular
nodes: 4
gpu: {name: G, sms: 8, bf16: 1 TFLOPS, fp32: 1 TFLOPS, memory: 1 GiB, memory_bandwidth: 1 TB/s}
node:
  gpus: 2
  nvlink: 100 GB/s
  nvlink_latency: 1 us
  nics: 2
  nic: 100 Gbps
  pcie: 25 GB/s
fabric:
  kind: explicit
  link_latency: 100 ns
  switch_latency: 200 ns
  nic_latency: 1 us
  switches:
    - name: L1
      level: leaf
      nics: ["0-1.0-1"]
      cables: ["S1 x2", "S2 at 50 Gbps"]
    - name: L2
      level: leaf
      nics: ["2.0-1", "3.0", "3.1"]
      cables: [S1, S2 x2]
    - {name: S1, level: spine}
    - {name: S2, level: spine}
)";

Result<Cluster> Parse(const std::string& text) {
  return ParseCluster(ParseDocument(text, "t.yaml").value());
}

std::string ErrorOf(const std::string& text) {
  const auto cluster = Parse(text);
  return cluster ? "no error" : cluster.error().ToString();
}

std::string With(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Explicit, RoutesByShortestWay) {
  const auto cluster = Parse(kIrregular);
  ASSERT_TRUE(cluster) << cluster.error().ToString();
  const Router router(*cluster);
  EXPECT_EQ(router.PathCount(0, 6), 2);
  const Route route = router.Between(0, 6);
  EXPECT_EQ(router.Name(route.vertices[2]), "L1");
  EXPECT_EQ(route.latency, Microseconds(2 + 4 * 0.1 + 3 * 0.2));
  std::map<std::string, double> rates;
  for (int seed = 0; seed < 20; ++seed) {
    const Router hashed(*cluster,
                        {.choice = PathChoice::kHash, .seed = static_cast<uint64_t>(seed)});
    const Route way = hashed.Between(0, 6);
    rates[hashed.Name(way.vertices[3])] = way.bottleneck.value();
  }
  EXPECT_EQ(rates, (std::map<std::string, double>{{"S1", 12.5e9}, {"S2", 6.25e9}}));
  const Counts counts = CountParts(*cluster);
  EXPECT_EQ(counts.leaves, 2);
  EXPECT_EQ(counts.leaf_spine_cables, 6);
  // L1 has 4 NICs below and 2.5 NICs' worth of cables above, L2 4 and 3.
  EXPECT_DOUBLE_EQ(cluster->fabric.oversubscription, 1.6);
  // Over S1 one cable's worth, over S2 half a cable's: 12.5 + 6.25 GB/s.
  EXPECT_DOUBLE_EQ(counts.bisection.value(), 18.75e9);
}

TEST(Explicit, BadFiles) {
  EXPECT_EQ(ErrorOf(With(kIrregular, "[S1, S2 x2]", "[S1, S3]")),
            "t.yaml:24:15: fabric.switches[1].cables: 'S3' is no switch; did you mean 'S1'?");
  EXPECT_EQ(ErrorOf(With(kIrregular, "\"3.1\"", "\"4.0\"")),
            "t.yaml:17:5: fabric.switches: L2: there is no NIC 4.0 in 4 nodes of 2 NICs");
  EXPECT_EQ(ErrorOf(With(kIrregular, "\"3.1\"", "\"0.1\"")),
            "t.yaml:17:5: fabric.switches: L2: NIC 0.1 is plugged into L1 already");
  EXPECT_EQ(ErrorOf(With(kIrregular, "[S1, S2 x2]", "[L2]")),
            "t.yaml:17:5: fabric.switches: L2: is joined to itself");
  EXPECT_EQ(ErrorOf(With(kIrregular, "name: L2", "name: L1")),
            "t.yaml:21:13: fabric.switches[1].name: 'L1' is the name of another switch");
  EXPECT_EQ(ErrorOf(With(kIrregular, "      cables: [S1, S2 x2]\n", "")),
            "t.yaml:17:5: fabric.switches: gpu 0 and gpu 4 are cut off from each other: no live "
            "way joins a NIC of node 0 to one of node 2");
}

std::string Faulty(const std::string& faults) { return kIrregular + ("faults:\n  " + faults); }

TEST(Faults, AreWalkedAround) {
  const auto dead_link = Parse(Faulty("dead_links: [\"L1 -- S1\"]\n"));
  ASSERT_TRUE(dead_link) << dead_link.error().ToString();
  for (int gpu = 4; gpu < 8; ++gpu) {
    const Router router(*dead_link);
    EXPECT_EQ(router.Name(router.Between(0, gpu).vertices[3]), "S2");
  }
  const auto dead_switch = Parse(Faulty("dead_switches: [S2]\n"));
  ASSERT_TRUE(dead_switch);
  EXPECT_EQ(Router(*dead_switch).Name(Router(*dead_switch).Between(0, 7).vertices[3]), "S1");
  const auto slow = Parse(Faulty("slow_nics: [\"0.0 at 10 Gbps\"]\n"));
  ASSERT_TRUE(slow) << slow.error().ToString();
  EXPECT_EQ(Router(*slow).Between(0, 2).bottleneck, GigabytesPerSecond(1.25));
  EXPECT_EQ(Router(*slow).Between(1, 3).bottleneck, GigabytesPerSecond(12.5));
}

// The NIC of GPU 0 is dead: its neighbour's stands in, on either end.
TEST(Faults, ADeadNicIsReplacedByItsNeighbours) {
  const auto cluster = Parse(Faulty("dead_nics: [\"0.0\"]\n"));
  ASSERT_TRUE(cluster) << cluster.error().ToString();
  const Router router(*cluster);
  const Route out = router.Between(0, 4);
  EXPECT_TRUE(out.forwarded);
  EXPECT_EQ(router.Name(out.vertices[2]), "gpu 1");
  EXPECT_EQ(router.Name(out.vertices[3]), "nic 0.1");
  const Route in = router.Between(4, 0);
  EXPECT_EQ(router.Name(in.vertices[in.vertices.size() - 3]), "gpu 1");
  EXPECT_EQ(in.vertices.back(), 0);
}

TEST(Faults, CutOffAndUnknownAreErrors) {
  EXPECT_EQ(ErrorOf(Faulty("dead_nics: [\"3.0-1\"]\n")),
            "t.yaml:28:3: faults: gpu 0 and gpu 6 are cut off from each other: no live way joins a "
            "NIC of node 0 to one of node 3");
  EXPECT_EQ(ErrorOf(Faulty("dead_switches: [S3]\n")),
            "t.yaml:28:18: faults.dead_switches: 'S3' is no switch of this fabric; did you mean "
            "'S1'?");
  EXPECT_EQ(ErrorOf(Faulty("dead_links: [\"L1 -- L2\"]\n")),
            "t.yaml:28:15: faults.dead_links: no cable joins L1 -- L2");
  EXPECT_EQ(ErrorOf(Faulty("dead_nics: [\"4.0\"]\n")),
            "t.yaml:28:14: faults.dead_nics: there is no NIC 4.0 in 4 nodes of 2 NICs");
  EXPECT_EQ(ErrorOf(Faulty("slow_nics: [\"0.0 at 1 THz\"]\n")),
            "t.yaml:28:14: faults.slow_nics: '0.0 at 1 THz': expected a NIC and its rate, at most "
            "node.nic, such as \"3.6 at 100 Gbps\"");
  EXPECT_EQ(ErrorOf(Faulty("slow_links: [\"L1 -- S1 at 0 %\"]\n")),
            "t.yaml:28:15: faults.slow_links: 'L1 -- S1 at 0 %': expected what is left, such as "
            "'at 50 %'");
  EXPECT_EQ(ErrorOf(Faulty("dead_nic: [\"0.0\"]\n")).substr(0, 36),
            "t.yaml:28:13: faults.dead_nic: unkno");
}

// Random faults: either the check says that two GPUs are cut off, or every pair has a live route.
TEST(Faults, EveryPairIsRoutedOrRefused) {
  std::mt19937 random(11);
  int routed = 0;
  int refused = 0;
  for (int round = 0; round < 150; ++round) {
    Cluster cluster = round % 2 == 0 ? MakeCluster(6) : MakeMultiPlane(6, 2);
    cluster.fabric.switch_ports = 8;
    cluster.fabric.levels = 3;
    cluster.node.gpus = cluster.node.nics = 4;
    ASSERT_TRUE(CheckCluster(cluster));
    const auto layout = MakeLayout(cluster);
    layout->ForEachLink([&](const SwitchLink& link) {
      if (random() % 100 < 30) cluster.faults.cables.push_back({link.lower, link.upper, 0});
    });
    for (int node = 0; node < 6; ++node) {
      for (int nic = 0; nic < 4; ++nic) {
        if (random() % 100 < 25) cluster.faults.dead_nics.push_back({node, nic});
      }
    }
    if (!CheckCluster(cluster)) {
      ++refused;
      continue;
    }
    ++routed;
    const Router router(cluster);
    for (int a = 0; a < cluster.gpus(); ++a) {
      for (int b = 0; b < cluster.gpus(); ++b) {
        if (a == b) continue;
        const Route route = router.Between(a, b);
        ASSERT_GT(route.bottleneck.value(), 0);
        ASSERT_EQ(route.vertices.back(), b);
      }
    }
  }
  EXPECT_GT(routed, 20);
  EXPECT_GT(refused, 5);
}

}  // namespace
}  // namespace pipescope::topology
