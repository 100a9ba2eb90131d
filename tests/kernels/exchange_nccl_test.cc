// The exchange over NCCL's device API, as far as one process and one GPU can show it: a node of one
// GPU against the truth, and what is said where something is missing.
#include "kernels/device.h"
#include "kernels/exchange/nccl_exchange.h"
#include "kernels/exchange/truth.h"
#include "tests/kernels/exchange_testing.h"

namespace pipescope::kernels::exchange {
namespace {

TEST(NcclExchange, OneRankAgainstTheTruth) {
  if (const auto device = QueryDevice(); !device.usable) GTEST_SKIP() << device.note;
  for (Way way : {Way::kProtocol, Way::kSendRecv}) {
    const auto id = NewNcclId();
    if (!id) GTEST_SKIP() << id.error().ToString();
    const Config g = Small(1, 1);
    auto rank = NcclRank::Make(g, 0, 0, *id, way);
    ASSERT_TRUE(rank) << rank.error().ToString();
    const auto inputs = DrawInputs(g, Routing::kSparse, false, 1);
    const auto rows = (*rank)->Dispatch(inputs[0]);
    ASSERT_TRUE(rows) << rows.error().ToString();
    const DispatchOutput should = DispatchTruth(g, inputs)[0];
    EXPECT_EQ(rows->values, should.values);
    EXPECT_EQ(rows->expert_rows, should.expert_rows);
    const auto results = DrawResults(g, {rows->rows}, true, 1);
    const auto sums = (*rank)->Combine(results[0], true);
    ASSERT_TRUE(sums) << sums.error().ToString();
    EXPECT_EQ(sums->values, CombineTruth(g, inputs, results, true)[0].values);
  }
}

TEST(NcclExchange, SaysWhatIsMissing) {
  if (QueryDevice().usable) GTEST_SKIP() << "there is a GPU";
  const auto made = NcclRank::Make(Small(2, 2), 0, 0, {}, Way::kProtocol);
  ASSERT_FALSE(made);
  const std::string said = made.error().ToString();
  EXPECT_TRUE(said.find("NCCL: ") == 0 || said.find("CUDA: ") == 0 ||
              said == "an exchange between nodes: built without CUDA")
      << said;
}

TEST(NcclExchange, ChecksSizesFirst) {
  if (!QueryDevice().compiled_in) GTEST_SKIP() << "built without CUDA";
  Config g = Small(2, 2);
  g.sms = 1;
  EXPECT_EQ(NcclRank::Make(g, 0, 0, {}, Way::kProtocol).error().message,
            "sms: 1: expected 2 to 256, a multiple of 2");
}

}  // namespace
}  // namespace pipescope::kernels::exchange
