// The generated orders against orders from outside, token for token.
#include <sstream>

#include "schedules/check.h"
#include "schedules/csv.h"
#include "schedules/token.h"
#include "tests/schedules/testing.h"

namespace pipescope::schedules {
namespace {

// "F0.2" or one half of a pair in the traces' notation: direction (or leg) and index within it.
Action FromTrace(const std::string& word, size_t rank, const nlohmann::json& trace) {
  const int ranks = trace["ranks"], stages = trace["stages"], microbatches = trace["microbatches"];
  const int direction = word[1] - '0';
  const int index = std::stoi(word.substr(3));
  const bool both_ways = stages == ranks;  // dualpipe
  const int r = static_cast<int>(rank);
  const int stage = direction == 0 ? r : stages - 1 - r;
  const int microbatch = both_ways && direction == 1 ? microbatches / 2 + index : index;
  const ActionKind kind = word[0] == 'F'   ? ActionKind::kForward
                          : word[0] == 'I' ? ActionKind::kInputGrad
                          : word[0] == 'W' ? ActionKind::kWeightGrad
                                           : ActionKind::kBackward;
  return Make(kind, stage, microbatch);
}

std::string TraceOrder(const std::string& words, size_t rank, const nlohmann::json& trace) {
  std::string text;
  std::istringstream stream(words);
  for (std::string word; stream >> word;) {
    if (!text.empty()) text += ',';
    const size_t pair = word.find('&');
    if (pair == word.npos) {
      AppendToken(FromTrace(word, rank, trace), text);
      continue;
    }
    const Action f = FromTrace(word.substr(0, pair), rank, trace);
    const Action b = FromTrace(word.substr(pair + 1), rank, trace);
    AppendToken(
        MakePair(f.stage.value(), f.microbatch.value(), b.stage.value(), b.microbatch.value()),
        text);
  }
  return text;
}

TEST(Families, DualPipeEqualsTheTraces) {
  for (const char* name : {"dualpipe_r2_m4", "dualpipe_r4_m8", "dualpipe_r8_m20", "dualpipev_r2_m4",
                           "dualpipev_r4_m10"}) {
    SCOPED_TRACE(name);
    const nlohmann::json trace = ReadJson(std::string(name) + ".json");
    const Schedule schedule =
        MakeSchedule(trace["schedule"], trace["ranks"], trace["microbatches"]);
    ASSERT_EQ(schedule.stages, trace["stages"]);
    for (size_t r = 0; r < trace["actions"].size(); ++r) {
      EXPECT_EQ(Order(schedule, r), TraceOrder(trace["actions"][r], r, trace)) << "rank " << r;
    }
  }
}

TEST(Families, EqualTheCsvFiles) {
  const auto expect = [](const char* file, const char* name, int ranks, int microbatches) {
    EXPECT_EQ(ToCsv(MakeSchedule(name, ranks, microbatches)), ReadData(file)) << file;
  };
  expect("dualpipev_4rank_10mb.csv", "dualpipev", 4, 10);
  expect("gen_DualPipe_4x8.csv", "dualpipe", 4, 8);
  expect("gen_1F1B_4x8.csv", "1f1b", 4, 8);
  expect("gen_GPipe_4x8.csv", "gpipe", 4, 8);
}

TEST(Families, EqualTheOrdersOfTheZeroBubbleGenerators) {
  int compared = 0;
  for (const auto& vector : ReadJson("timing.json")) {
    if (!vector.contains("orders")) continue;
    const Schedule schedule =
        MakeSchedule(vector["schedule"], vector["ranks"], vector["microbatches"]);
    for (size_t r = 0; r < vector["orders"].size(); ++r) {
      EXPECT_EQ(Order(schedule, r), vector["orders"][r]);
    }
    ++compared;
  }
  EXPECT_EQ(compared, 4);
}

TEST(Families, DualPipeVIsHalfOfDualPipe) {
  for (const auto& [ranks, microbatches] : {std::pair{1, 2}, {2, 5}, {4, 10}, {7, 14}, {8, 31}}) {
    const Schedule half = MakeSchedule("dualpipev", ranks, microbatches);
    Schedule whole = MakeSchedule("dualpipe", 2 * ranks, 2 * microbatches);
    for (size_t r = 0; r < half.actions.size(); ++r) {
      for (Action& action : whole.actions[r]) {
        const auto fold = [&](MicrobatchId& m) {
          if (m.value() >= microbatches) m = MicrobatchId(m.value() - microbatches);
        };
        fold(action.microbatch);
        if (action.kind == ActionKind::kOverlapped) fold(action.backward_microbatch);
      }
      EXPECT_EQ(Order(half, r), Order(whole, r)) << ranks << " ranks, rank " << r;
    }
  }
}

TEST(Families, DualPipeIsMirrored) {
  const Schedule schedule = MakeSchedule("dualpipe", 8, 22);
  for (size_t r = 0; r < 4; ++r) {
    std::vector<Action> mirrored = schedule.actions[7 - r];
    const auto swap = [](MicrobatchId& m) { m = MicrobatchId((m.value() + 11) % 22); };
    for (Action& action : mirrored) {
      swap(action.microbatch);
      if (action.kind == ActionKind::kOverlapped) swap(action.backward_microbatch);
    }
    EXPECT_EQ(mirrored, schedule.actions[r]);
  }
}

}  // namespace
}  // namespace pipescope::schedules
