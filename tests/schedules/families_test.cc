// The generated orders against orders from outside, token for token.
#include <algorithm>
#include <map>
#include <sstream>

#include "schedules/check.h"
#include "schedules/csv.h"
#include "schedules/evaluate.h"
#include "schedules/schedule_file.h"
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
  expect("gen_Interleaved1F1B_4x8_v2.csv", "interleaved-1f1b", 4, 8);
  expect("gen_LoopedBFS_4x8_v2.csv", "looped-bfs", 4, 8);
  expect("gen_InterleavedZB_2x8_v2.csv", "interleaved-zb", 2, 8);
  expect("gen_ZBV_4x4.csv", "zbv", 4, 4);
  const auto old_letters = ReadScheduleFile(DataPath("zb1p_2rank_2stagep_compute.csv"));
  ASSERT_TRUE(old_letters);
  EXPECT_EQ(ToCsv(MakeSchedule("interleaved-zb", 2, 8)), ToCsv(old_letters->schedule));
  const Options flex{4, 8, 2, {}, "flex"};
  EXPECT_EQ(ToCsv(MakeSchedule("interleaved-1f1b", flex)),
            ReadData("gen_Interleaved1F1B_4x8_v2.csv"));
}

TEST(Families, EqualTheOrdersOfTheZeroBubbleGenerators) {
  int compared = 0;
  for (const auto& vector : ReadJson("timing.json")) {
    if (!vector.contains("orders")) continue;
    SCOPED_TRACE(vector["schedule"]);
    const Schedule schedule = MakeSchedule(vector);
    for (size_t r = 0; r < vector["orders"].size(); ++r) {
      EXPECT_EQ(Order(schedule, r), vector["orders"][r]);
    }
    ++compared;
  }
  EXPECT_EQ(compared, 17);
}

// "0@down@f" of a slot, or nothing: the n-th time a rank forwards (or backwards) in a direction is
// micro-batch n of that direction, and each unit of p has p/2 a direction.
Action FromSlot(const std::string& cell, int ranks, int rank, std::map<std::string, int>& seen) {
  const bool down = cell.find("down") != cell.npos;
  const int n = seen[cell.substr(cell.find('@'))]++, half = ranks / 2;
  return Make(cell.back() == 'f' ? ActionKind::kForward : ActionKind::kBackward,
              down ? rank : ranks - 1 - rank, n / half * ranks + n % half + (down ? 0 : half));
}

TEST(Families, ChimeraEqualsItsSlots) {
  for (const auto& vector : ReadJson("chimera_slots.json")) {
    const int ranks = vector["ranks"];
    const Schedule schedule = MakeSchedule("chimera", ranks, vector["microbatches"]);
    EXPECT_EQ(Time(schedule, UniformCosts(1, 1, 0)).makespan, vector["slots"]);
    std::vector<std::vector<Action>> orders(static_cast<size_t>(ranks));
    std::vector<std::map<std::string, int>> seen(orders.size());
    if (vector["grid"].is_null()) continue;
    for (const std::string row : vector["grid"]) {
      std::istringstream cells(row);
      std::string cell;
      for (size_t r = 0; r < orders.size() && std::getline(cells, cell, '|'); ++r) {
        if (cell.empty()) continue;
        orders[r].push_back(FromSlot(cell, ranks, static_cast<int>(r), seen[r]));
      }
    }
    EXPECT_EQ(schedule.actions, orders) << ranks;
  }
}

TEST(Families, OneChunkOrSliceIsThePlainSchedule) {
  const auto same = [](const std::string& name, const Options& options, const char* plain) {
    EXPECT_EQ(ToCsv(MakeSchedule(name, options)),
              ToCsv(MakeSchedule(plain, options.ranks, options.microbatches)))
        << name;
  };
  for (const auto& [ranks, microbatches] : {std::pair{1, 3}, {4, 8}, {6, 18}}) {
    same("interleaved-1f1b", {ranks, microbatches, 1}, "eager-1f1b");
    same("interleaved-zb", {ranks, microbatches, 1}, "zb-h1");
    same("seq1f1b", {ranks, microbatches, {}, 1}, "1f1b");
  }
}

TEST(Families, PeaksAreThoseSaid) {
  const auto peaks = [](const std::string& name, const Options& options) {
    return Prepare(MakeSchedule(name, options))->peak_activations;
  };
  for (int p = 1; p <= 9; ++p) {
    for (int r = 0; r < p; ++r) {
      const auto at = static_cast<size_t>(r);
      const int m = 3 * p, v = 3, k = 4;
      EXPECT_EQ(peaks("eager-1f1b", {p, m})[at], std::min(m, 2 * (p - 1 - r) + 1));
      EXPECT_EQ(peaks("interleaved-1f1b", {p, m, v})[at], (v - 1) * p + 2 * (p - 1 - r) + 1);
      EXPECT_EQ(peaks("combined-1f1b", {p, m, v})[at], (v - 1) * p + 2 * (p - 1 - r) + 2);
      EXPECT_EQ(peaks("looped-bfs", {p, m, v})[at], v * m);
      EXPECT_EQ(peaks("interleaved-zb", {p, m, v})[at], v * p);
      EXPECT_EQ(peaks("zb-h2", {p, m})[at], 2 * p - 1);
      EXPECT_EQ(peaks("zbv", {p, m})[at], 2 * p);
      EXPECT_LE(peaks("hanayo", {p, m, 4})[at], 4 * p);
      EXPECT_EQ(peaks("seq1f1b", {p, m, {}, k})[at], p - r + k - 1);
      if (p % 2 != 0) continue;
      EXPECT_EQ(peaks("chimera", {p, m})[at], p / 2 + 1 + std::min(r, p - 1 - r));
    }
  }
}

// The highest peak of a rank, in chunks; with few micro-batches it is lower.
TEST(Families, MemoryOfTheControllableFamilies) {
  const auto highest = [](const char* name, int ranks, int microbatches) {
    const auto peaks = Prepare(MakeSchedule(name, ranks, microbatches))->peak_activations;
    return *std::max_element(peaks.begin(), peaks.end());
  };
  for (int p = 1; p <= 20; ++p) {
    EXPECT_EQ(highest("v-half", p, 4 * p), (p + 2) / 2 * 2) << p;
    EXPECT_EQ(highest("v-min", p, 4 * p), (p + 4) / 3 * 2) << p;
    EXPECT_EQ(highest("1f1b-v", p, 4 * p), (2 * p + 3) / 3 * 2) << p;
    for (int m = 1; m < 2 * p; ++m) {
      EXPECT_LE(highest("v-half", p, m), (p + 2) / 2 * 2) << p << " " << m;
      EXPECT_LE(highest("v-min", p, m), (p + 4) / 3 * 2) << p << " " << m;
      EXPECT_LE(highest("1f1b-v", p, m), (2 * p + 3) / 3 * 2) << p << " " << m;
    }
  }
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
