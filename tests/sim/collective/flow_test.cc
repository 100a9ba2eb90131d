// The transfers, run by their own dependencies on the flow engine, against the time by steps: a
// barrier after each step can only cost, and costs little where all GPUs do alike.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/collective/time.h"
#include "sim/flow/native_engine.h"
#include "topology/load.h"
#include "topology/route.h"

namespace pipescope::collective {
namespace {

// Starts each transfer when all that it waits for have ended; returns the end of the last.
class FlowRun {
 public:
  FlowRun(const topology::Cluster& cluster, const Transfers& transfers)
      : transfers_(transfers),
        router_(cluster, {.to_rail = true}),
        missing_(transfers.all.size()),
        next_(transfers.all.size()) {
    for (int link = 0; link < router_.links().size(); ++link) {
      network_.links.push_back(router_.links()[link].capacity);
    }
    engine_ = std::make_unique<flow::NativeEngine>(network_);
    for (size_t i = 0; i < transfers.all.size(); ++i) {
      missing_[i] = static_cast<int>(transfers.After(i).size());
      for (const int32_t before : transfers.After(i)) {
        next_[static_cast<size_t>(before)].push_back(i);
      }
    }
  }

  Duration Run() {
    std::vector<size_t> ready;
    for (size_t i = 0; i < missing_.size(); ++i) {
      if (missing_[i] == 0) ready.push_back(i);
    }
    Start(ready);
    Duration last;
    size_t done = 0;
    std::vector<flow::Ended> ended;
    while (engine_->Next() < Duration::Max()) {
      ended.clear();
      engine_->AdvanceTo(engine_->Next(), ended);
      ready.clear();
      for (const flow::Ended& e : ended) {
        last = std::max(last, e.time);
        for (int64_t id = e.first; id < e.first + e.count; ++id, ++done) {
          for (const size_t waits : next_[started_[static_cast<size_t>(id)]]) {
            if (--missing_[waits] == 0) ready.push_back(waits);
          }
        }
      }
      Start(ready);
    }
    EXPECT_EQ(done, transfers_.all.size());
    return last;
  }

 private:
  void Start(const std::vector<size_t>& ready) {
    if (ready.empty()) return;
    flow::FlowBatch batch;
    for (const size_t i : ready) {
      const Transfer& t = transfers_.all[i];
      const topology::Route route = router_.Between(t.src, t.dst);
      batch.Add(std::vector<int32_t>(route.links.begin(), route.links.end()), t.bytes);
      batch.latencies.push_back(route.latency);
      started_.push_back(i);
    }
    engine_->Add(flow::Pattern::Make(network_, std::move(batch)));
  }

  const Transfers& transfers_;
  topology::Router router_;
  flow::Network network_;
  std::unique_ptr<flow::Engine> engine_;
  std::vector<int> missing_;               // ends that a transfer waits for
  std::vector<std::vector<size_t>> next_;  // who waits for a transfer
  std::vector<size_t> started_;            // transfers by flow id
};

TEST(Flow, AgreesWithTheTimeByStepsWhereStepsAreEven) {
  const auto cluster = *topology::LoadCluster("h800_2048_fat_tree");
  struct Case {
    const char* pattern;
    const char* algorithm;
    int gpus;
    double least;  // of the time by steps
  };
  for (const Case& k :
       {Case{"p2p", "direct", 16, 0.999}, Case{"all-gather", "ring", 8, 0.99},
        Case{"reduce-scatter", "direct", 8, 0.99}, Case{"all-reduce", "direct", 8, 0.99},
        Case{"all-to-all", "direct", 32, 0.95}, Case{"all-to-all", "hierarchical", 32, 0.95},
        Case{"all-reduce", "ring", 16, 0.6}, Case{"all-reduce", "tree", 16, 0.4}}) {
    Collective c;
    c.pattern = k.pattern;
    c.algorithm = k.algorithm;
    c.gpus = k.gpus;
    c.gpus_per_node = 8;
    c.size = Bytes(1 << 28);
    const auto transfers = MakeTransfers(c);
    ASSERT_TRUE(transfers.has_value());
    const double share =
        FlowRun(cluster, *transfers).Run() / TimeOf(cluster, c, *transfers, 1).time;
    EXPECT_LT(share, 1.001) << k.pattern << " " << k.algorithm;
    EXPECT_GT(share, k.least) << k.pattern << " " << k.algorithm;
  }
}

}  // namespace
}  // namespace pipescope::collective
