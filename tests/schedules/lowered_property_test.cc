// Lowering random schedules of every family, and damaging what comes out.
#include <random>

#include "schedules/check.h"
#include "schedules/csv.h"
#include "schedules/lowered_check.h"
#include "schedules/lowered_csv.h"
#include "tests/schedules/testing.h"

namespace pipescope::schedules {
namespace {

int Integer(std::mt19937& random, int least, int most) {
  return least + static_cast<int>(random() % static_cast<uint32_t>(most - least + 1));
}

Lowering RandomLowering(std::mt19937& random) {
  Lowering lowering;
  if (Integer(random, 0, 1) == 1) lowering.max_active_stages = Integer(random, 1, 4);
  lowering.reduce_grad = Integer(random, 0, 1) == 1;
  return lowering;
}

TEST(LoweredProperty, DroppingTheMessagesGivesTheScheduleBack) {
  std::mt19937 random(7);
  int tried = 0;
  for (size_t i = 0; tried < 1500; ++i) {
    const Family& family = Families()[i % Families().size()];
    const int ranks = Integer(random, 1, 10);
    const auto schedule = Generate(family, {ranks, Integer(random, 1, 3 * ranks), {}});
    if (!schedule) continue;
    ++tried;
    const auto lowered = Lower(*schedule, RandomLowering(random));
    ASSERT_TRUE(lowered) << lowered.error().ToString();
    ASSERT_EQ(WithoutCommunication(*lowered).actions, schedule->actions) << family.name;
    const LoweredVerdict verdict = CheckLowered(*lowered);
    ASSERT_TRUE(verdict.findings.empty()) << family.name << " " << ToString(verdict.findings[0]);
    size_t most = 0, total = 0;
    for (const auto& rank : lowered->actions) {
      most = std::max(most, rank.size());
      total += rank.size();
    }
    ASSERT_TRUE(verdict.steps);
    ASSERT_GE(*verdict.steps, static_cast<int64_t>(most));
    ASSERT_LE(*verdict.steps, static_cast<int64_t>(total));
    const std::string csv = ToCsv(*lowered);
    const auto again = ParseLoweredCsv(csv, "again.csv");
    ASSERT_TRUE(again) << again.error().ToString();
    ASSERT_EQ(ToCsv(again->lowered), csv);
    const Schedule merged = MergeBackwards(*schedule);
    ASSERT_TRUE(Check(merged).empty());
    ASSERT_EQ(ToCsv(MergeBackwards(merged)), ToCsv(merged));
  }
}

// The plainest simulation: ask every rank in every step.
int64_t PlainSteps(const LoweredSchedule& lowered) {
  std::vector<size_t> next(lowered.actions.size(), 0);
  const auto sent = [&](const Communication& receive) {
    const bool forward = receive.kind == CommunicationKind::kReceiveForward;
    const Communication send = {
        forward ? CommunicationKind::kSendForward : CommunicationKind::kSendBackward,
        StageId(receive.stage.value() + (forward ? -1 : 1)), receive.microbatch};
    for (size_t r = 0; r < next.size(); ++r) {
      for (size_t i = 0; i < next[r]; ++i) {
        if (lowered.actions[r][i] == LoweredAction(send)) return true;
      }
    }
    return false;
  };
  int64_t steps = 0;
  for (bool progress = true; progress; ++steps) {
    progress = false;
    std::vector<bool> moved(next.size(), false);
    for (int pass = 0; pass < 2; ++pass) {
      for (size_t r = 0; r < next.size(); ++r) {
        if (moved[r] || next[r] == lowered.actions[r].size()) continue;
        const auto* c = std::get_if<Communication>(&lowered.actions[r][next[r]]);
        const bool receives = c != nullptr && (c->kind == CommunicationKind::kReceiveForward ||
                                               c->kind == CommunicationKind::kReceiveBackward);
        if (receives && !sent(*c)) continue;
        ++next[r];
        moved[r] = progress = true;
      }
    }
  }
  return steps - 1;
}

TEST(LoweredProperty, UnitStepsEqualThePlainSimulation) {
  std::mt19937 random(11);
  int compared = 0;
  for (size_t i = 0; i < 900; ++i) {
    const Family& family = Families()[i % Families().size()];
    const int ranks = 2 * Integer(random, 1, 2);
    const auto schedule = Generate(family, {ranks, 2 * Integer(random, ranks, ranks + 1), {}});
    if (!schedule) continue;
    auto lowered = Lower(*schedule);
    ASSERT_TRUE(lowered);
    // Many of these stay legal; those that do not have no steps to compare.
    for (int moves = Integer(random, 0, 6); moves > 0; --moves) {
      auto& rank = lowered->actions[random() % lowered->actions.size()];
      const size_t at = random() % (rank.size() - 1);
      std::swap(rank[at], rank[at + 1]);
    }
    const LoweredVerdict verdict = CheckLowered(*lowered);
    if (!verdict.steps) continue;
    ++compared;
    ASSERT_EQ(*verdict.steps, PlainSteps(*lowered)) << family.name;
  }
  EXPECT_GT(compared, 150);
}

TEST(LoweredProperty, DamagedFilesNeverCrash) {
  std::mt19937 random(3);
  std::string csv;
  int parsed = 0, explained = 0;
  for (int i = 0; i < 6000; ++i) {
    if (i % 20 == 0) {
      const Family& family = Families()[static_cast<size_t>(i / 20) % Families().size()];
      const auto lowered = Lower(MakeSchedule(family.name, 2, 4), RandomLowering(random));
      ASSERT_TRUE(lowered);
      csv = ToCsv(*lowered);
    }
    std::string damaged = csv;
    for (int n = Integer(random, 1, 3); n > 0; --n) {
      constexpr std::string_view kBytes = "0123456789,,\nFIWB_SENDRECV(;)";
      const size_t at = random() % damaged.size();
      const size_t comma = damaged.find(',', at);
      const size_t next = damaged.find_first_of(",\n", comma == damaged.npos ? at : comma + 1);
      switch (Integer(random, 0, 6)) {
        case 0:
          damaged[at] = kBytes[random() % kBytes.size()];
          break;
        case 1:
          damaged.erase(at, random() % 12);
          break;
        case 2:
        case 3:  // a cell goes
          if (comma < next && next != damaged.npos) damaged.erase(comma, next - comma);
          break;
        case 4:
        case 5:  // a cell moves
          if (comma < next && next != damaged.npos) {
            const std::string cell = damaged.substr(comma, next - comma);
            damaged.erase(comma, next - comma);
            const size_t to = damaged.find(',', random() % damaged.size());
            damaged.insert(to == damaged.npos ? comma : to, cell);
          }
          break;
        default:
          damaged.insert(at, damaged.substr(random() % damaged.size(), random() % 12));
      }
      if (damaged.empty()) damaged = "x";
    }
    const auto read = ParseLoweredCsv(damaged, "damaged.csv");
    if (!read) continue;
    ++parsed;
    explained += CheckLowered(read->lowered).findings.empty() ? 0 : 1;
  }
  EXPECT_GT(parsed, 500);
  EXPECT_GT(explained, 300);
}

}  // namespace
}  // namespace pipescope::schedules
