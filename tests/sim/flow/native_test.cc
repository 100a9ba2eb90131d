// The native engine against closed forms and against a second solver.
#include <gtest/gtest.h>

#include <initializer_list>
#include <random>

#include "sim/flow/native_engine.h"
#include "tests/sim/flow/testing.h"

namespace pipescope::flow {
namespace {

TEST(NativeEngine, AgreesWithPlainWaterFilling) {
  for (uint64_t seed = 0; seed < 10000; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const Plan plan = RandomPlan(RandomRecipe(seed), seed);
    ExpectEnds(Reference(plan), RunNative(plan), 1e-9, Duration(500));
    if (HasFailure()) break;
  }
}

// More links than a filling's window and than lie between its checkpoints, with weights and
// changes.
TEST(NativeEngine, AgreesOnLargerPlans) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Recipe recipe = RandomRecipe(seed);
    recipe.links = 30 + static_cast<int>(seed % 120);
    recipe.flows = 60 + static_cast<int>(seed % 7) * 40;
    recipe.longest_route = 2 + static_cast<int>(seed % 4);
    const Plan plan = RandomPlan(recipe, seed);
    ExpectEnds(Reference(plan), RunNative(plan), 1e-9, Duration(2000));
  }
}

// More links than a filling has between two of its checkpoints, all of them coupled.
TEST(NativeEngine, AgreesOnManyCoupledLinks) {
  for (uint64_t seed = 0; seed < 3; ++seed) {
    std::mt19937_64 random(seed);
    Plan plan;
    FlowBatch flows = AllToAllFlows(28, Bytes(0));
    for (Bytes& bytes : flows.bytes) bytes = Bytes(1 + static_cast<int64_t>(random() % 2'000'000));
    for (int l = 0; l < 56; ++l) {
      plan.network.links.push_back(GigabytesPerSecond(40 + static_cast<double>(random() % 3) * 5));
    }
    plan.batches.push_back({Duration(0), Pattern::Make(plan.network, std::move(flows))});
    plan.changes = {{Microseconds(100), 5, GigabytesPerSecond(20)},
                    {Microseconds(200), 40, GigabytesPerSecond(80)}};
    ExpectEnds(Reference(plan), RunNative(plan), 1e-6, Duration(1000));
  }
}

TEST(NativeEngine, FoldingChangesNoTime) {
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Recipe recipe = RandomRecipe(seed);
    recipe.equal = true;
    recipe.links = 2 + static_cast<int>(seed % 4);
    const std::vector<Duration> folded = RunNative(RandomPlan(recipe, seed));
    const std::vector<Duration> single = RunNative(RandomPlan(recipe, seed, Pattern::Fold::kNo));
    ASSERT_EQ(folded.size(), single.size());
    for (size_t f = 0; f < folded.size(); ++f) {
      EXPECT_NEAR(static_cast<double>(folded[f].picoseconds()),
                  static_cast<double>(single[f].picoseconds()),
                  1 + 1e-11 * folded[f].seconds() * 1e12);
    }
    if (HasFailure()) break;
  }
}

TEST(NativeEngine, AllToAllTakesWhatItsNicTakes) {
  for (const int n : {2, 3, 8, 64}) {
    for (const auto fold : {Pattern::Fold::kYes, Pattern::Fold::kNo}) {
      const auto ends = RunNative(AllToAll(n, Bytes(1'000'000), GigabytesPerSecond(50), fold));
      for (const Duration end : ends) EXPECT_EQ(end, Microseconds(20.0 * (n - 1)));
    }
  }
}

FlowBatch Routes(std::initializer_list<std::vector<int32_t>> routes, Bytes bytes) {
  FlowBatch batch;
  for (const std::vector<int32_t>& route : routes) batch.Add(route, bytes);
  return batch;
}

// Flow 0 crosses all n links of 10 GB/s, flow i only link i: every one gets half of a link.
TEST(NativeEngine, ParkingLot) {
  const int n = 6;
  Network network;
  network.links.assign(n, GigabytesPerSecond(10));
  FlowBatch batch;
  batch.Add(std::vector<int32_t>{0, 1, 2, 3, 4, 5}, Bytes(1'000'000));
  for (int32_t l = 0; l < n; ++l) batch.Add(std::vector<int32_t>{l}, Bytes(500'000));
  Plan plan{network, {{Duration(0), Pattern::Make(network, batch)}}, {}};
  const auto ends = RunNative(plan);
  EXPECT_EQ(ends[0], Microseconds(150));  // 0.5 MB at 5 GB/s, the rest at 10
  for (int f = 1; f <= n; ++f) EXPECT_EQ(ends[static_cast<size_t>(f)], Microseconds(100));
}

// Four senders with uplinks of 1, 2, 4 and 100 GB/s share a trunk of 10: the first two keep their
// uplinks, the others share what is left, 3.5 each.
TEST(NativeEngine, DumbbellGivesTheSlowTheirAllAndTheRestEqualShares) {
  Network network;
  for (const double g : {1.0, 2.0, 4.0, 100.0, 10.0}) {
    network.links.push_back(GigabytesPerSecond(g));
  }
  NativeEngine engine(network);
  engine.Add(Pattern::Make(network, Routes({{0, 4}, {1, 4}, {2, 4}, {3, 4}}, Bytes(1'000'000))));
  const double expected[] = {1e9, 2e9, 3.5e9, 3.5e9};
  for (FlowId f = 0; f < 4; ++f) EXPECT_NEAR(engine.RateOf(f).value(), expected[f], 1);
}

// 7 flows of at most 6 GB/s fit a link of 50, and an eighth without cap takes what they leave.
// Where the capacity falls below what they ask for, all share it.
TEST(NativeEngine, ALinkThatCannotBeFullHoldsNothingBack) {
  Network network = {{GigabytesPerSecond(50)}};
  FlowBatch capped = Routes({{0}, {0}, {0}, {0}, {0}, {0}, {0}}, Bytes(6'000'000));
  capped.caps.assign(7, GigabytesPerSecond(6));
  NativeEngine engine(network);
  engine.Add(Pattern::Make(network, capped, Pattern::Fold::kNo));
  const FlowId more = engine.Add(Pattern::Make(network, Routes({{0}}, Bytes(4'000'000))));
  EXPECT_NEAR(engine.RateOf(0).value(), 6e9, 1);
  EXPECT_NEAR(engine.RateOf(more).value(), 8e9, 1);
  std::vector<Ended> ended;
  engine.AdvanceTo(Microseconds(250), ended);  // half of the eighth, a quarter of the others
  engine.SetCapacity(0, GigabytesPerSecond(24));
  EXPECT_NEAR(engine.RateOf(0).value(), 3e9, 1);
  EXPECT_NEAR(engine.RateOf(more).value(), 3e9, 1);
  engine.SetCapacity(0, GigabytesPerSecond(100));
  EXPECT_NEAR(engine.RateOf(0).value(), 6e9, 1);
  EXPECT_NEAR(engine.RateOf(more).value(), 58e9, 1);
  engine.AdvanceTo(Duration::Max(), ended);
  ASSERT_EQ(ended.size(), 2u);
  EXPECT_EQ(ended[0].first, more);
  EXPECT_EQ(ended[1].count, 7);
  EXPECT_NEAR(ended[1].time.seconds(), 1e-3, 1e-11);
}

TEST(NativeEngine, CapsAndLatencies) {
  Network network = {{GigabytesPerSecond(10)}};
  FlowBatch batch = Routes({{0}, {0}, {}, {}}, Bytes(1'000'000));
  batch.caps = {GigabytesPerSecond(2), Bandwidth(0), GigabytesPerSecond(4), Bandwidth(0)};
  batch.latencies = {Microseconds(1), Microseconds(1), Duration(0), Microseconds(7)};
  Plan plan{network, {{Microseconds(3), Pattern::Make(network, batch)}}, {}};
  const auto ends = RunNative(plan);
  EXPECT_EQ(ends[0], Microseconds(504));  // at its cap
  EXPECT_EQ(ends[1], Microseconds(129));  // at the 8 GB/s that are left
  EXPECT_EQ(ends[2], Microseconds(253));  // no link, only a cap
  EXPECT_EQ(ends[3], Microseconds(10));   // nothing holds it back but its latency
}

// One slow NIC breaks the symmetry of a folded all-to-all; a flow that joins does so too.
TEST(NativeEngine, AClassIsTakenApartWhereItsSymmetryBreaks) {
  for (const auto fold : {Pattern::Fold::kYes, Pattern::Fold::kNo}) {
    Plan plan = AllToAll(8, Bytes(1'000'000), GigabytesPerSecond(50), fold);
    plan.changes.push_back({Microseconds(70), 3, GigabytesPerSecond(10)});
    plan.batches.push_back(
        {Microseconds(90), Pattern::Make(plan.network, Routes({{0, 9}}, Bytes(400'000)))});
    ExpectEnds(Reference(plan), RunNative(plan), 1e-9, Duration(500));
  }
  NativeEngine engine(AllToAll(8, Bytes(1), GigabytesPerSecond(50)).network);
  const Plan plan = AllToAll(8, Bytes(1'000'000), GigabytesPerSecond(50));
  engine.Add(plan.batches[0].pattern);
  EXPECT_EQ(engine.Next(), Microseconds(140));
  EXPECT_EQ(engine.variables(), 1);
  engine.SetCapacity(3, GigabytesPerSecond(10));
  EXPECT_EQ(engine.Next(), Microseconds(140));  // the others are held back by their own uplinks
  EXPECT_EQ(engine.variables(), 56);
}

// Flows whose sum of caps no link is short of are one variable, whomever they share links with,
// until something comes that could fill a link.
TEST(NativeEngine, ALooseClassIsTakenApartWhereALinkCouldBeFull) {
  const Network network{std::vector<Bandwidth>(6, GigabytesPerSecond(50))};
  FlowBatch capped = Routes({{0, 3}, {1, 3}, {1, 4}, {2, 3}, {2, 5}}, Bytes(1'000'000));
  capped.caps.assign(5, GigabytesPerSecond(10));
  const auto loose = Pattern::Make(network, capped, Pattern::Fold::kLoose);
  ASSERT_EQ(loose->classes().size(), 1u);
  NativeEngine engine(network);
  engine.Add(loose);
  EXPECT_EQ(engine.Next(), Microseconds(100));
  EXPECT_EQ(engine.variables(), 1);
  engine.Add(Pattern::Make(network, Routes({{1}, {1}}, Bytes(1'000'000))));
  EXPECT_EQ(engine.RateOf(0), GigabytesPerSecond(10));
  EXPECT_GT(engine.variables(), 5);
  capped.caps.assign(5, GigabytesPerSecond(17));  // link 3 cannot carry three of these
  EXPECT_EQ(Pattern::Make(network, capped, Pattern::Fold::kLoose)->single(),
            (std::vector<int32_t>{0, 1, 3}));
}

TEST(NativeEngine, LooseClassesAreWhatTheirFlowsAre) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    std::mt19937_64 random(seed);
    const auto below = [&](uint64_t n) { return static_cast<int>(random() % n); };
    Plan plan;
    for (int l = 0; l < 8; ++l) plan.network.links.push_back(GigabytesPerSecond(20 + 30 * (l % 2)));
    for (int b = 0; b < 5; ++b) {
      FlowBatch batch;
      const Bytes bytes(100'000 * (1 + below(3)));
      for (int f = 0; f < 9; ++f) {
        const int32_t route[] = {below(4), 4 + below(4)};
        batch.Add(route, bytes);
      }
      const int cap = below(4);  // 0: none
      batch.caps.assign(batch.bytes.size(), GigabytesPerSecond(4 * cap));
      plan.batches.push_back({Microseconds(below(40)), Pattern::Make(plan.network, batch)});
    }
    plan.changes.push_back({Microseconds(below(60)), below(8), GigabytesPerSecond(1 + below(40))});
    ExpectEnds(Reference(plan), RunNative(plan), 1e-9, Duration(500));
  }
}

// Many links whose levels lie close together, so that filling goes back to checkpoints: flows of
// random sizes between 40 ranks by way of 40 cables, some of which are covered by NICs.
TEST(NativeEngine, ManyLinksOfCloseLevels) {
  for (uint64_t seed = 0; seed < 3; ++seed) {
    std::mt19937_64 random(seed);
    constexpr int kRanks = 40;
    Plan plan;
    for (int l = 0; l < 3 * kRanks; ++l) {
      const auto more = static_cast<double>(random() % 1000) / 1e3;
      plan.network.links.push_back(GigabytesPerSecond(l < 2 * kRanks ? 50 + more : 40 + 30 * more));
    }
    FlowBatch batch;
    for (int32_t from = 0; from < kRanks; ++from) {
      for (int32_t to = 0; to < kRanks; ++to) {
        const int32_t cable = 2 * kRanks + (seed == 0 ? to : (from + to) % kRanks);
        const int32_t route[] = {from, cable, kRanks + to};
        if (from != to) batch.Add(route, Bytes(1 + static_cast<int64_t>(random() % 2'000'000)));
      }
    }
    plan.batches.push_back({Duration(0), Pattern::Make(plan.network, batch)});
    ExpectEnds(Reference(plan), RunNative(plan), 1e-9, Duration(2000));
  }
}

// What all links have carried when everything has ended is what all flows brought.
TEST(NativeEngine, NoByteIsLost) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Recipe recipe = RandomRecipe(seed);
    recipe.changes = false;
    recipe.weights = false;
    const Plan plan = RandomPlan(recipe, seed);
    NativeEngine engine(plan.network);
    std::vector<double> moved;
    std::vector<Bytes> bytes;
    std::vector<Ended> ended;
    for (const TimedBatch& b : plan.batches) {
      engine.Add(b.pattern);
      bytes.insert(bytes.end(), b.pattern->batch().bytes.begin(), b.pattern->batch().bytes.end());
    }
    moved.resize(bytes.size());
    for (Duration next = engine.Next(); next < Duration::Max(); next = engine.Next()) {
      const double seconds = (next - engine.Now()).seconds();
      for (size_t f = 0; f < moved.size(); ++f) {
        moved[f] += seconds * engine.RateOf(static_cast<FlowId>(f)).value();
      }
      engine.AdvanceTo(next, ended);
    }
    for (size_t f = 0; f < moved.size(); ++f) {
      const double size = static_cast<double>(bytes[f].value());
      EXPECT_NEAR(moved[f], size, 1e-9 * size + 0.2) << seed << " flow " << f;
    }
  }
}

// The order in which a batch lists its flows changes no end.
TEST(NativeEngine, OrderOfFlowsDoesNotMatter) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const Plan plan = RandomPlan(RandomRecipe(seed), seed);
    Plan backwards = plan;
    for (TimedBatch& b : backwards.batches) {
      const FlowBatch& from = b.pattern->batch();
      FlowBatch to;
      for (int64_t f = from.size() - 1; f >= 0; --f) {
        to.Add(from.Route(f), from.bytes[static_cast<size_t>(f)]);
        const auto weights = from.Weights(f);
        to.weights.insert(to.weights.end(), weights.begin(), weights.end());
        if (!from.caps.empty()) to.caps.push_back(from.Cap(f));
        if (!from.latencies.empty()) to.latencies.push_back(from.Latency(f));
      }
      b.pattern = Pattern::Make(plan.network, std::move(to));
    }
    const auto ends = RunNative(plan);
    const auto again = RunNative(plan);
    EXPECT_EQ(ends, again);
    const auto reversed = RunNative(backwards);
    size_t first = 0;
    for (const TimedBatch& b : plan.batches) {
      const size_t n = b.pattern->batch().bytes.size();
      for (size_t f = 0; f < n; ++f) {
        EXPECT_NEAR(ends[first + f].seconds(), reversed[first + n - 1 - f].seconds(), 5e-10);
      }
      first += n;
    }
  }
}

}  // namespace
}  // namespace pipescope::flow
