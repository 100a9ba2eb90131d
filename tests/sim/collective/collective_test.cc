// Collectives: everybody ends up with everything, dependencies are met, times have closed forms.
#include <gtest/gtest.h>

#include <set>

#include "sim/collective/time.h"
#include "topology/load.h"

namespace pipescope::collective {
namespace {

constexpr double kNetwork = 1;

topology::Cluster H800() { return *topology::LoadCluster("h800_2048_fat_tree"); }

Collective Of(const std::string& pattern, const std::string& algorithm, int gpus,
              Bytes size = Bytes(1 << 24)) {
  Collective c;
  c.pattern = pattern;
  c.algorithm = algorithm;
  c.gpus = gpus;
  c.gpus_per_node = std::min(gpus, 8);
  c.size = size;
  return c;
}

Transfers Made(const Collective& c) {
  auto made = MakeTransfers(c);
  EXPECT_TRUE(made.has_value()) << c.pattern << " " << c.algorithm;
  return *made;
}

CollectiveTime Timed(const Collective& c) { return TimeOf(H800(), c, Made(c), kNetwork); }

// Each waits only for earlier ones of an earlier step that ended where it starts.
TEST(Transfers, WaitForWhatBringsTheirData) {
  for (const std::string& pattern : Patterns()) {
    for (const std::string& algorithm : AlgorithmsOf(pattern)) {
      const Transfers made = Made(Of(pattern, algorithm, 16));
      for (size_t i = 0; i < made.all.size(); ++i) {
        EXPECT_NE(made.all[i].src, made.all[i].dst);
        EXPECT_GE(made.all[i].step, made.all[i == 0 ? 0 : i - 1].step);
        for (const int32_t before : made.After(i)) {
          ASSERT_GE(before, 0) << pattern << " " << algorithm;
          ASSERT_LT(static_cast<size_t>(before), i);
          const Transfer& b = made.all[static_cast<size_t>(before)];
          EXPECT_LT(b.step, made.all[i].step);
          const bool same_way = b.src == made.all[i].src && b.dst == made.all[i].dst;
          EXPECT_TRUE(b.dst == made.all[i].src || same_way) << pattern << " " << algorithm;
        }
      }
    }
  }
}

// Who knows of whom, when each transfer carries all that its sender knows: after a collective that
// gathers or reduces, everybody of everybody.
TEST(Transfers, ReachEverybody) {
  for (const auto& [pattern, algorithm] : {std::pair{"all-gather", "ring"},
                                           {"all-gather", "direct"},
                                           {"all-reduce", "ring"},
                                           {"all-reduce", "tree"},
                                           {"all-reduce", "direct"},
                                           {"reduce-scatter", "ring"},
                                           {"all-to-all", "direct"},
                                           {"all-to-all", "hierarchical"}}) {
    for (const int gpus : {2, 8, 24}) {
      const Transfers made = Made(Of(pattern, algorithm, gpus));
      std::vector<std::set<int>> known(static_cast<size_t>(gpus));
      for (int g = 0; g < gpus; ++g) known[static_cast<size_t>(g)] = {g};
      for (const Transfer& t : made.all) {
        const auto from = known[static_cast<size_t>(t.src)];
        known[static_cast<size_t>(t.dst)].insert(from.begin(), from.end());
      }
      for (const auto& k : known) EXPECT_EQ(static_cast<int>(k.size()), gpus) << algorithm;
    }
  }
}

// What goes out of each GPU, in bytes: the lower bound of nccl-tests' factors, to the byte.
TEST(Transfers, SendWhatTheyMust) {
  const int n = 16;
  const int64_t size = 1 << 24;
  const auto sent = [&](const char* pattern, const char* algorithm) {
    int64_t bytes = 0;
    for (const Transfer& t : Made(Of(pattern, algorithm, n)).all) bytes += t.bytes.value();
    return bytes;
  };
  EXPECT_EQ(sent("all-gather", "ring"), size * (n - 1));
  EXPECT_EQ(sent("all-gather", "direct"), size * (n - 1));
  EXPECT_EQ(sent("reduce-scatter", "ring"), size * (n - 1));
  EXPECT_EQ(sent("all-reduce", "ring"), 2 * size * (n - 1));
  EXPECT_EQ(sent("all-reduce", "direct"), 2 * size * (n - 1));
  EXPECT_EQ(sent("all-reduce", "tree"), 2 * size * (n - 1));
  EXPECT_EQ(sent("all-to-all", "direct"), size * (n - 1));
  EXPECT_EQ(sent("all-to-all", "hierarchical"), size * n * 7 / 8 + size * n / 2);
  EXPECT_EQ(sent("p2p", "direct"), size);
}

TEST(Time, OneMessage) {
  const CollectiveTime t = Timed(Of("p2p", "", 2, Bytes(160'000'000)));
  EXPECT_NEAR(t.time.seconds(), 1e-3 + 3.33e-6, 1e-9);
  EXPECT_EQ(t.bound, "NVLink");
  const CollectiveTime far = Timed(Of("p2p", "", 16, Bytes(50'000'000)));
  EXPECT_NEAR(far.time.seconds(), 1e-3, 10e-6);
  EXPECT_NEAR(far.wire.value() / 50e9, 1, 0.01);
}

// n - 1 steps of S / n each at NVLink's rate, as 8 rings share each port evenly.
TEST(Time, RingWithinANode) {
  const CollectiveTime t = Timed(Of("all-gather", "ring", 8, Bytes(1 << 30)));
  const double expected = 7 * ((1 << 30) / 8 / 160e9 + 3.33e-6);
  EXPECT_NEAR(t.time.seconds() / expected, 1, 1e-4);
  EXPECT_NEAR(t.bus.value() / 160e9, 1, 0.01);
  const CollectiveTime twice = Timed(Of("all-reduce", "ring", 8, Bytes(1 << 30)));
  EXPECT_NEAR(twice.time / t.time, 2, 1e-4);
  EXPECT_NEAR(twice.bus.value() / t.bus.value(), 1, 1e-4);
}

// Between nodes all 8 NICs carry a ring each: 8 x 50 GB/s a node, shared by rings of S / 8. NVLink
// has 7 of 8 hops of each ring at 160 GB/s a port, so that it stays below.
TEST(Time, RingsBetweenNodesUseAllNics) {
  const CollectiveTime t = Timed(Of("all-gather", "ring", 32, Bytes(int64_t{1} << 33)));
  EXPECT_EQ(t.bound, "NVLink");
  EXPECT_GT(t.bus.value() / 160e9, 0.9);
  EXPECT_GT(t.wire.value(), 15e9);
}

// All NICs are used, and a message goes through log2 of the nodes, not through all of them: of a
// thousand GPUs a tree reduces what a ring cannot list.
TEST(Time, TreesUseAllNicsAndScale) {
  const CollectiveTime t = Timed(Of("all-reduce", "tree", 64, Bytes(1 << 30)));
  EXPECT_GT(t.bus.value(), 60e9);
  const CollectiveTime small = Timed(Of("all-reduce", "tree", 64, Bytes(1 << 14)));
  const CollectiveTime large = Timed(Of("all-reduce", "tree", 1024, Bytes(1 << 14)));
  EXPECT_LT(large.time / small.time, 2);
}

TEST(Time, SmallMessagesAreLatency) {
  const CollectiveTime ring = Timed(Of("all-reduce", "ring", 64, Bytes(4096)));
  const CollectiveTime direct = Timed(Of("all-reduce", "direct", 64, Bytes(4096)));
  EXPECT_EQ(ring.bound, "latency");
  EXPECT_LT(direct.time.seconds(), ring.time.seconds() / 20);
  Collective tree = Of("all-reduce", "tree", 64, Bytes(4096));
  tree.pieces = 1;
  EXPECT_LT(Timed(tree).time, ring.time);
}

// S / n to each of 56 GPUs on other nodes by each NIC.
TEST(Time, AllToAllIsBoundByNics) {
  const CollectiveTime t = Timed(Of("all-to-all", "direct", 64, Bytes(1 << 30)));
  const double nic = (1 << 30) / 64.0 * 56 / 50e9;
  EXPECT_GT(t.time.seconds(), nic * 0.999);
  const CollectiveTime two = Timed(Of("all-to-all", "hierarchical", 64, Bytes(1 << 30)));
  EXPECT_NEAR(two.time.seconds(), nic + (1 << 30) / 160e9 * 7 / 8, 0.02 * nic);
}

TEST(Transfers, RefuseWhatDoesNotFit) {
  const auto refused = [](const Collective& c) {
    const auto made = MakeTransfers(c);
    return made ? std::string() : made.error().message;
  };
  EXPECT_NE(refused(Of("all-gater", "", 8)).find("did you mean 'all-gather'"), std::string::npos);
  EXPECT_NE(refused(Of("all-gather", "rung", 8)).find("did you mean 'ring'"), std::string::npos);
  EXPECT_NE(refused(Of("all-gather", "ring", 1)), "");
  EXPECT_NE(refused(Of("all-gather", "ring", 12)), "");
  EXPECT_NE(refused(Of("all-gather", "ring", 8, Bytes(7))), "");
  EXPECT_NE(refused(Of("all-to-all", "direct", 65536)), "");
}

}  // namespace
}  // namespace pipescope::collective
