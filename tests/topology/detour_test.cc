// Longer ways through dragonflies and tori: what they are, and what they are good for.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "tests/topology/make.h"
#include "topology/least_loaded.h"
#include "topology/route.h"

namespace pipescope::topology {
namespace {

// 9 groups of 4 routers with 2 NICs and 2 global cables: one cable between every two groups.
Cluster Dragonfly() {
  Cluster c = MakeCluster(9);
  c.fabric = {};
  c.fabric.kind = FabricKind::kDragonfly;
  c.fabric.switch_ports = 16;
  c.fabric.groups = 9;
  c.fabric.group_switches = 4;
  c.fabric.switch_nics = 2;
  c.fabric.global_cables = 2;
  c.fabric.parallel_cables = 1;
  return c;
}

Cluster DragonflyPlus() {
  Cluster c = Dragonfly();
  c.fabric.kind = FabricKind::kDragonflyPlus;
  c.fabric.group_spines = 4;
  return c;
}

Cluster Torus() {
  Cluster c = MakeCluster(8);
  c.fabric = {};
  c.fabric.kind = FabricKind::kTorus;
  c.fabric.dimensions = {8, 8};
  c.fabric.switch_nics = 1;
  c.fabric.parallel_cables = 1;
  return c;
}

using Pairs = std::vector<std::pair<int, int>>;

// Every GPU to its equal `nodes` further.
Pairs Shift(const Cluster& c, int nodes) {
  Pairs pairs;
  for (int gpu = 0; gpu < c.gpus(); ++gpu) {
    pairs.emplace_back(gpu, (gpu + nodes * c.node.gpus) % c.gpus());
  }
  return pairs;
}

// Flows on the fullest link; a flow a pair, each of the rate of a NIC.
int64_t Fullest(const Cluster& c, const Pairs& pairs, RoutePolicy policy, bool adaptive) {
  const Router router(c, policy);
  LeastLoaded chooser(router, LeastLoaded::Detours::kYes);
  std::vector<int64_t> loads(static_cast<size_t>(router.links().size()));
  for (const auto& [from, to] : pairs) {
    const auto rate = static_cast<int64_t>(c.node.nic.value());
    const std::vector<LinkId> links =
        adaptive ? chooser.Choose(from, to, rate) : router.Between(from, to).links;
    chooser.Load(links, rate);
    for (const LinkId l : links) ++loads[static_cast<size_t>(l)];
  }
  return *std::max_element(loads.begin(), loads.end());
}

TEST(Detour, WaysAroundAreSimpleAndLead) {
  std::mt19937 random(3);
  for (const Cluster& c : {Dragonfly(), DragonflyPlus(), Torus()}) {
    ASSERT_TRUE(CheckCluster(c).has_value()) << CheckCluster(c).error().ToString();
    const Router router(c, {.choice = PathChoice::kValiant});
    int longer = 0;
    for (int i = 0; i < 500; ++i) {
      const int a = static_cast<int>(random() % static_cast<unsigned>(c.gpus()));
      const int b = static_cast<int>(random() % static_cast<unsigned>(c.gpus()));
      if (a == b) continue;
      std::vector<Route> routes = router.Around(a, b, 4);
      EXPECT_LE(routes.size(), 4u);
      const int shortest = Router(c).Between(a, b).hops();
      routes.push_back(router.Between(a, b));
      for (const Route& route : routes) {
        EXPECT_EQ(route.vertices.front(), a);
        EXPECT_EQ(route.vertices.back(), b);
        const std::set<int> once(route.vertices.begin(), route.vertices.end());
        EXPECT_EQ(once.size(), route.vertices.size());
        for (size_t k = 0; k < route.links.size(); ++k) {
          EXPECT_EQ(router.links()[route.links[k]].from, route.vertices[k]);
          EXPECT_EQ(router.links()[route.links[k]].to, route.vertices[k + 1]);
        }
        // Two global cables in a row may be fewer hops than one between two local ones.
        EXPECT_GE(route.hops(), shortest - (c.fabric.kind == FabricKind::kDragonfly ? 1 : 0));
        longer += route.hops() > shortest;
      }
      EXPECT_EQ(routes.back().links, router.Between(a, b).links);
    }
    EXPECT_GT(longer, 200);
  }
}

// All of a group to the next one: its 8 NICs share one cable the shortest way, which bounds them
// to an eighth of their rate (Kim et al., 2008: 1 / (a p)). Valiant's ways are spread over all
// groups' cables; of ways chosen by load none is as full.
TEST(Detour, AdversarialTrafficOfADragonflyIsSpread) {
  const Cluster c = Dragonfly();
  const Pairs next = Shift(c, 1);
  EXPECT_EQ(Fullest(c, next, {}, false), 8);
  const int64_t valiant = Fullest(c, next, {.choice = PathChoice::kValiant}, false);
  EXPECT_LT(valiant, 8);
  const int64_t adaptive = Fullest(c, next, {}, true);
  EXPECT_LE(adaptive, 4);
  EXPECT_LE(adaptive, valiant);
}

// Half way along one dimension of a torus.
TEST(Detour, AdversarialTrafficOfATorusIsSpread) {
  const Cluster c = Torus();
  const Pairs across = Shift(c, 3);
  const int64_t shortest = Fullest(c, across, {}, false);
  EXPECT_LE(Fullest(c, across, {}, true), shortest);
  EXPECT_LE(Fullest(c, across, {.choice = PathChoice::kValiant}, false), 2 * shortest);
}

// Nobody is in the way: a way as short as the static policy's is taken.
TEST(Detour, AnIdleFabricIsCrossedTheShortestWay) {
  for (const Cluster& c : {Dragonfly(), DragonflyPlus(), Torus()}) {
    const Router router(c);
    for (int to = 8; to < c.gpus(); to += 7) {
      LeastLoaded chooser(router, LeastLoaded::Detours::kYes);
      EXPECT_LE(chooser.Choose(0, to, 1000).size(), router.Between(0, to).links.size());
    }
  }
}

// Its ways by hashed spines are Valiant's already.
TEST(Detour, TreesHaveNone) {
  const Cluster c = MakeCluster(40);
  EXPECT_TRUE(Router(c).Around(0, 319, 4).empty());
  EXPECT_EQ(Router(c, {.choice = PathChoice::kValiant}).Between(0, 319).links,
            Router(c, {.choice = PathChoice::kHash}).Between(0, 319).links);
}

TEST(Detour, DeadLinksAreAvoided) {
  Cluster c = Dragonfly();
  c.faults.dead_nics = {{0, 3}};
  const Router whole(Dragonfly());
  const Route used = Router(c, {.choice = PathChoice::kValiant}).Between(0, 40);
  const int first_switch = VertexIds(c).fabric_switch(0);
  for (size_t k = 0; k + 1 < used.vertices.size(); ++k) {
    if (used.vertices[k] < first_switch || used.vertices[k + 1] < first_switch) continue;
    Cluster broken = c;
    broken.faults.cables = {
        {used.vertices[k] - first_switch, used.vertices[k + 1] - first_switch, 0}};
    const Router router(broken, {.choice = PathChoice::kValiant});
    for (const LinkId l : router.Between(0, 40).links) {
      EXPECT_GT(router.links()[l].capacity.value(), 0);
    }
  }
}

}  // namespace
}  // namespace pipescope::topology
