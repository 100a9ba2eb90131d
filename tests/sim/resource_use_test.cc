#include "sim/resource_use.h"

#include <cstdlib>
#include <map>

#include "sim/engine/engine.h"
#include "sim/simulate.h"
#include "tests/sim/testing.h"

namespace pipescope {
namespace {

// The header's example: 40 GB/s for half a slice of a NIC of 40 GB/s, sent by rank 0 to rank 1.
TEST(ResourceUse, HalfASliceOfAMessage) {
  TaskGraph graph;
  graph.ranks = 2;
  graph.capacity[static_cast<size_t>(Resource::kNetworkOut)] = 40e9;
  graph.capacity[static_cast<size_t>(Resource::kNetworkIn)] = 40e9;
  graph.labels = {{"message", timeline::OperationKind::kMessage, timeline::Lane::kPipeline, {}}};
  TaskTemplate message, wait;
  message.demand.time = Seconds(1);
  message.rates[static_cast<size_t>(Resource::kNetworkOut)] = 40e9;
  message.rates[static_cast<size_t>(Resource::kNetworkIn)] = 40e9;
  wait.demand.time = Seconds(3);
  graph.templates = {message, wait};
  graph.tasks = {{0, 1, 0, -1}, {0, 0, 1, -1}};
  graph.edges = {{0, 1}};
  const ResourceUse use = ResourceUseOf(graph, RunFluid(graph), 2);
  EXPECT_EQ(use.slice, Seconds(2));
  ASSERT_EQ(use.rows.size(), 2U);  // what has no capacity is no resource
  EXPECT_EQ(use.rows[0].name, "NIC out");
  EXPECT_EQ(use.rows[0].share, (std::vector<std::vector<double>>{{0.5, 0}, {0, 0}}));
  EXPECT_EQ(use.rows[1].share, (std::vector<std::vector<double>>{{0, 0}, {0.5, 0}}));
  EXPECT_EQ(use.rows[0].bytes[0], Bytes(40'000'000'000));
  ASSERT_EQ(use.rows[0].traffic.size(), 1U);
  EXPECT_EQ(use.rows[0].traffic[0].from, 0);
  EXPECT_EQ(use.rows[0].traffic[0].to, 1);
  EXPECT_EQ(use.rows[0].traffic[0].bytes, Bytes(40'000'000'000));
  EXPECT_TRUE(use.rows[1].traffic.empty());  // told by who sends
}

// Slices lose no byte, and none carries more than it can.
TEST(ResourceUse, SlicesAddUpToTheBytes) {
  for (const char* name : {"1f1b", "zb1p", "dualpipe"}) {
    const StepResult r = Must(Simulate(MakeExperiment({}), name));
    ASSERT_FALSE(r.resources.rows.empty());
    for (const ResourceUse::Row& row : r.resources.rows) {
      for (size_t rank = 0; rank < row.share.size(); ++rank) {
        double slices = 0;
        for (const double share : row.share[rank]) {
          EXPECT_LE(share, 1 + 1e-9) << name << " " << row.name;
          slices += share;
        }
        const double bytes = slices * r.resources.slice.seconds() * row.capacity.value();
        const auto expected = static_cast<double>(row.bytes[rank].value());
        EXPECT_NEAR(bytes, expected, 1e-6 * expected + 1) << name << " " << row.name;
      }
    }
  }
}

// Nothing is sent but what the row counts, and pipeline messages go to neighbours only, forward as
// much as backward.
TEST(ResourceUse, TrafficAddsUpToTheBytes) {
  for (const char* name : {"1f1b", "dualpipe"}) {
    const StepResult r = Must(Simulate(MakeExperiment({}), name));
    for (const ResourceUse::Row& row : r.resources.rows) {
      if (row.name != "NIC out" && row.name != "NVLink") {
        EXPECT_TRUE(row.traffic.empty()) << row.name;
        continue;
      }
      std::vector<int64_t> sent(row.bytes.size());
      std::map<std::pair<int, int>, int64_t> between;
      for (const Traffic& t : row.traffic) {
        sent[static_cast<size_t>(t.from)] += t.bytes.value();
        EXPECT_LE(std::abs(t.from - t.to), 1) << name << " " << row.name;
        between[{t.from, t.to}] += t.bytes.value();
      }
      for (size_t rank = 0; rank < sent.size(); ++rank) {
        EXPECT_NEAR(static_cast<double>(sent[rank]), static_cast<double>(row.bytes[rank].value()),
                    3)
            << name << " " << row.name;
      }
      for (const auto& [ends, bytes] : between) {
        const int64_t back = between.at({ends.second, ends.first});
        EXPECT_NEAR(static_cast<double>(bytes), static_cast<double>(back), 2) << name;
      }
    }
  }
}

}  // namespace
}  // namespace pipescope
