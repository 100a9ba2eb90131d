// Bytes of dispatch, combine, messages and collectives, exactly; times from the slowest resource.
#include "sim/costs/communication_cost.h"

#include <gtest/gtest.h>

#include <cmath>

#include "topology/load.h"

namespace pipescope::costs {
namespace {

topology::Cluster H800() { return topology::LoadCluster("h800_2048_fat_tree").value(); }
Links H800Links() { return LinksOf(H800(), Efficiencies()); }

Spread V3Spread() { return SpreadOf(model::LoadModel("deepseek_v3").value(), 64, 8).value(); }

Bytes Round(double bytes) { return Bytes(std::llround(bytes)); }

TEST(Links, ReachTheirShare) {
  const Links links = H800Links();
  EXPECT_NEAR(links.network.value(), 40e9, 1);  // 80 % of 400 Gbps
  EXPECT_NEAR(links.nvlink.value(), 160e9, 1);
  EXPECT_NEAR(links.network_latency.microseconds(), 3.7, 1e-6);  // arXiv 2505.09343, table 5
  topology::Cluster narrow = H800();
  narrow.node.nics = 4;
  narrow.fabric.oversubscription = 2;
  EXPECT_NEAR(LinksOf(narrow, Efficiencies()).network.value(), 10e9, 1);
  topology::Cluster behind = H800();
  behind.node.pcie = GigabytesPerSecond(16);  // Gen 3 x16 before a 400 Gbps NIC
  EXPECT_NEAR(LinksOf(behind, Efficiencies()).network.value(), 0.8 * 16e9, 1);
  behind.fabric.oversubscription = 4;  // 12.5 GB/s of the fabric, which is less
  EXPECT_NEAR(LinksOf(behind, Efficiencies()).network.value(), 0.8 * 12.5e9, 1);
}

TEST(AllToAll, MovesExactlyTheRowsOfTheTwoHops) {
  const Spread spread = V3Spread();
  const double bytes = 4096 * 7168 * (1 + 4.0 / 128);
  const Demand d = AllToAll(spread, 4096, 7168 * (1 + 4.0 / 128), 20, H800Links(), Efficiencies());
  EXPECT_EQ(d.network_out, Round(bytes * spread.token_nodes * 7 / 8));
  EXPECT_EQ(d.network_in, d.network_out);
  EXPECT_EQ(d.nvlink, Round(bytes * spread.token_gpus * 7 / 8));
  EXPECT_EQ(d.memory, Round(bytes * (1 + 4 * spread.network_rows() + 3 * spread.token_gpus)));
  // communication_cost.h: 96 MB, 2.4 ms; a combine 187 MB, 4.7 ms.
  EXPECT_NEAR(static_cast<double>(d.network_out.value()), 96e6, 1e6);
  EXPECT_NEAR(d.time.milliseconds(), 2.4, 0.03);
  const Demand combine = AllToAll(spread, 4096, 2 * 7168, 20, H800Links(), Efficiencies());
  EXPECT_NEAR(static_cast<double>(combine.network_out.value()), 187e6, 1e6);
  EXPECT_NEAR(combine.time.milliseconds(), 4.7, 0.05);
}

TEST(AllToAll, FewSmsMakeCopyingTheBottleneck) {
  const Spread spread = V3Spread();
  Duration before = Duration::Max();
  for (int sms = 1; sms <= 32; ++sms) {
    const Demand d = AllToAll(spread, 4096, 7392, sms, H800Links(), Efficiencies());
    EXPECT_LE(d.time, before);
    before = d.time;
  }
  const Demand few = AllToAll(spread, 4096, 7392, 2, H800Links(), Efficiencies());
  const double copied = 4096 * 7392 * (spread.network_rows() + 2 * spread.token_gpus);
  EXPECT_NEAR(few.time.seconds(), copied / (2 * 18.5e9), 1e-5);
}

TEST(AllToAll, InsideANodeNothingTakesTheNic) {
  const Spread spread = SpreadOf(model::LoadModel("deepseek_v3").value(), 8, 8).value();
  const Demand d = AllToAll(spread, 4096, 7392, 20, H800Links(), Efficiencies());
  EXPECT_EQ(d.network_out, Bytes(0));
  EXPECT_GT(d.nvlink, Bytes(0));
}

TEST(PointToPoint, TakesTheNicOrNvlink) {
  const Demand far = PointToPoint(Bytes(58'720'256), false, H800Links());
  EXPECT_EQ(far.network_out, Bytes(58'720'256));
  EXPECT_EQ(far.nvlink, Bytes(0));
  EXPECT_NEAR(far.time.microseconds(), 58'720'256 / 40e3 + 3.7, 1e-3);
  const Demand near = PointToPoint(Bytes(58'720'256), true, H800Links());
  EXPECT_EQ(near.network_out, Bytes(0));
  EXPECT_EQ(near.nvlink, Bytes(58'720'256));
  EXPECT_NEAR(near.time.microseconds(), 58'720'256 / 160e3 + 3.33, 1e-3);
}

TEST(ShardedCollective, RingsMoveAllButOwnShare) {
  const Bytes size(1'024'000'000);
  const Demand all = ShardedCollective(size, 128, 8, H800Links());
  EXPECT_EQ(all.nvlink, Bytes(1'016'000'000));  // 127/128
  EXPECT_EQ(all.network_out, Bytes(127'000'000));
  EXPECT_EQ(all.network_in, all.network_out);
  const Demand apart = ShardedCollective(size, 16, 1, H800Links());  // one GPU a node
  EXPECT_EQ(apart.nvlink, Bytes(0));
  EXPECT_EQ(apart.network_out, Bytes(960'000'000));
  const Demand inside = ShardedCollective(size, 8, 8, H800Links());
  EXPECT_EQ(inside.network_out, Bytes(0));
  EXPECT_EQ(inside.nvlink, Bytes(896'000'000));
  EXPECT_EQ(ShardedCollective(size, 1, 1, H800Links()).time, Duration());
}

TEST(Exchange, EachPartGoesStraightToItsGpu) {
  const Demand d = Exchange(Bytes(16'000'000), 16, 8, H800Links());
  EXPECT_EQ(d.nvlink, Bytes(7'000'000));
  EXPECT_EQ(d.network_out, Bytes(8'000'000));
  EXPECT_EQ(d.network_in, d.network_out);
  EXPECT_NEAR(d.time.microseconds(), 8'000'000 / 40e3 + 3.7, 1e-3);
  const Demand inside = Exchange(Bytes(16'000'000), 8, 8, H800Links());
  EXPECT_EQ(inside.network_out, Bytes(0));
  EXPECT_NEAR(inside.time.microseconds(), 14'000'000 / 160e3 + 3.33, 1e-3);
  EXPECT_EQ(Exchange(Bytes(16'000'000), 1, 1, H800Links()).time, Duration());
}

}  // namespace
}  // namespace pipescope::costs
