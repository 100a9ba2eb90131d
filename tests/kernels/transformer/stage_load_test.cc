// What ranks hold by stage, and the orders that calibrations play.
#include "kernels/transformer/stage_load.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "schedules/registry.h"
#include "schedules/token.h"

namespace pipescope::transformer {
namespace {

using schedules::Action;

std::string Tokens(const std::vector<Action>& order) {
  std::string text;
  for (const Action& action : order) text += (text.empty() ? "" : " ") + schedules::ToToken(action);
  return text;
}

RankLoad LoadOfOrder(const std::vector<Action>& order) {
  schedules::Schedule schedule;
  schedule.actions = {order};
  return LoadsOf(schedule).front();
}

TEST(StageLoad, IsOfEachStageByItself) {
  // The last stage runs its B at once; the other stage of its rank waits for that and the hops.
  const auto interleaved = schedules::Generate("interleaved-1f1b", {2, 8}).value();
  EXPECT_EQ(LoadsOf(interleaved)[1], (RankLoad{{1, 8, 3, 1}, {3, 8, 1, 1}}));
  const auto gpipe = schedules::Generate("gpipe", {2, 8}).value();
  EXPECT_EQ(LoadsOf(gpipe)[0], (RankLoad{{0, 8, 8, 1}}));
  // Both directions: half of the micro-batches each.
  const auto both = LoadsOf(schedules::Generate("chimera", {2, 8}).value());
  for (const StageLoad& load : both[0]) {
    EXPECT_EQ(load.microbatches, 4) << load.stage;
  }
}

TEST(StageLoad, OrdersAsTheHeaderSays) {
  EXPECT_EQ(Tokens(OrderOf({{0, 3, 2, 1}}, false)), "0F0 0F1 0B0 0F2 0B1 0B2");
  EXPECT_EQ(Tokens(OrderOf({{0, 3, 2, 1}}, true)), "0F0 0F1 0I0 0W0 0F2 0I1 0W1 0I2 0W2");
  EXPECT_EQ(Tokens(OrderOf({{0, 3, 1, 2}}, true)), "0F0 0I0 0F1 0I1 0W0 0F2 0I2 0W1 0W2");
  EXPECT_EQ(Tokens(OrderOf({{1, 2, 2, 1}, {3, 2, 1, 1}}, false)),
            "1F0 3F0 3B0 1F1 3F1 3B1 1B0 1B1");
  EXPECT_EQ(Tokens(OrderOf({{0, 1, 1, 1}}, false)), "0F0 0B0 0F1 0B1") << "something before each";
}

// Every family: the order has each action once, and holds and defers as much as the schedule.
TEST(StageLoad, AnOrderHasTheLoadItWasMadeFor) {
  int families = 0;
  for (const schedules::Family& family : schedules::Families()) {
    const auto schedule = schedules::Generate(family, {4, 16});
    if (!schedule) continue;
    ++families;
    for (RankLoad load : LoadsOf(*schedule)) {
      const RankLoad split = LoadOfOrder(OrderOf(load, true));
      EXPECT_EQ(split, load) << family.name;
      for (StageLoad& stage : load) stage.deferred = 1;
      const auto whole = OrderOf(load, false);
      EXPECT_EQ(LoadOfOrder(whole), load) << family.name;
      for (const Action& action : whole) {
        EXPECT_EQ(std::count(whole.begin(), whole.end(), action), 1) << Tokens(whole);
      }
    }
  }
  EXPECT_GE(families, 8);
}

}  // namespace
}  // namespace pipescope::transformer
