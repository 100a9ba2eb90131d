// 1F1B-V: 1F1B on a V of two stages a rank, with whole backwards and two thirds of its memory.
//
// A building block, repeated every six slots: a micro-batch goes down the V, one slot a rank, comes
// back up, and goes the same way back with backwards of two slots. So that repetitions fit into
// each other, backwards pause for three slots after every three ranks (the first time after (p+2)
// mod 3 of them) and where 3 divides p also before they begin. Then every action, in the order of
// slots, moves to the earliest idle slot after its inputs (a backward: to two of them), forwards
// only as far as no rank holds more activations than the busiest did; and ranks run what results in
// order.
//
// With F = 1 and B = 2 a chunk, 4 ranks and m = 8 wait 15 of 63, 8 ranks and m = 24 wait 33 of 177;
// no formula is known.
//
// Example, 2 ranks, 2 micro-batches: 0F0 0F1 3F0 3B0 3F1 3B1 0B0 0B1 | 1F0 2F0 1F1 2F1 2B0 1B0 2B1
// 1B1.
// Source: Qi et al., "Pipeline Parallelism with Controllable Memory", arXiv 2405.15362, appendix;
// the rules of moving as in github.com/sail-sg/zero-bubble-pipeline-parallelism.
#include <algorithm>
#include <array>

#include "schedules/families/building_block.h"
#include "schedules/family.h"

namespace pipescope::schedules {
namespace {

constexpr int kPeriod = 6;

// In the order in which a micro-batch passes a rank.
enum Type { kForwardDown, kForwardUp, kBackwardUp, kBackwardDown, kTypes, kSecondSlot };

bool IsForward(int type) { return type <= kForwardUp; }

struct Cell {
  int type = -1;  // -1: idle; kSecondSlot: of the backward before
  int microbatch = 0;
};

struct Rank {
  std::vector<Cell> cells;                     // [slot]
  std::vector<int> held;                       // [slot], activations after it
  std::array<std::vector<int>, kTypes> slots;  // [type][micro-batch]

  bool Idle(int slot) const { return cells[static_cast<size_t>(slot)].type < 0; }
  void Put(int slot, const Cell& cell) {
    const size_t at = static_cast<size_t>(slot);
    cells[at] = cell;
    if (!IsForward(cell.type)) cells[at + 1] = {kSecondSlot, cell.microbatch};
    slots[static_cast<size_t>(cell.type)][static_cast<size_t>(cell.microbatch)] = slot;
  }
};

// The slots of micro-batch 0: [rank][type].
std::vector<std::array<int, kTypes>> BlockOf(int p) {
  std::vector<std::array<int, kTypes>> block(static_cast<size_t>(p));
  const auto at = [&](int rank, Type type) -> int& {
    return block[static_cast<size_t>(rank)][type];
  };
  int slot = 0;
  for (int r = 0; r < p; ++r) at(r, kForwardDown) = slot++;
  for (int r = p - 1; r >= 0; --r) at(r, kForwardUp) = slot++;
  if (p % 3 == 0) slot += 3;
  int since_pause = (3 - (p + 2) % 3) % 3;
  const auto backward = [&](int rank, Type type) {
    at(rank, type) = slot;
    slot += 2;
    if (++since_pause < 3) return;
    since_pause = 0;
    slot += 3;
  };
  for (int r = 0; r < p; ++r) backward(r, kBackwardUp);
  for (int r = p - 1; r >= 0; --r) backward(r, kBackwardDown);
  return block;
}

class Grid {
 public:
  Grid(int ranks, int microbatches) : ranks_(static_cast<size_t>(ranks)) {
    const auto block = BlockOf(ranks);
    length_ = kPeriod * (microbatches - 1) + block.front()[kBackwardDown] + 2;
    for (size_t r = 0; r < ranks_.size(); ++r) {
      Rank& rank = ranks_[r];
      rank.cells.resize(static_cast<size_t>(length_));
      for (int type = 0; type < kTypes; ++type) {
        rank.slots[static_cast<size_t>(type)].resize(static_cast<size_t>(microbatches));
        for (int m = 0; m < microbatches; ++m) {
          rank.Put(block[r][static_cast<size_t>(type)] + kPeriod * m, {type, m});
        }
      }
      int held = 0;
      for (const Cell& cell : rank.cells) {
        if (cell.type >= 0 && IsForward(cell.type)) ++held;
        if (cell.type == kSecondSlot) --held;
        peak_ = std::max(peak_, held);
        rank.held.push_back(held);
      }
    }
  }

  void Squeeze() {
    for (int slot = 0; slot < length_; ++slot) {
      for (size_t r = 0; r < ranks_.size(); ++r) {
        const Cell cell = ranks_[r].cells[static_cast<size_t>(slot)];
        if (cell.type < 0 || cell.type == kSecondSlot) continue;
        const int to = Target(ranks_[r], cell.type, slot, Inputs(r, cell) + 1);
        if (to < slot) MoveTo(ranks_[r], cell, slot, to);
      }
    }
  }

  std::vector<Action> Order(size_t r) const {
    std::vector<Action> order;
    const int down = static_cast<int>(r), up = 2 * static_cast<int>(ranks_.size()) - 1 - down;
    for (const Cell& cell : ranks_[r].cells) {
      if (cell.type < 0 || cell.type == kSecondSlot) continue;
      const bool is_down = cell.type == kForwardDown || cell.type == kBackwardDown;
      order.push_back(Make(IsForward(cell.type) ? ActionKind::kForward : ActionKind::kBackward,
                           is_down ? down : up, cell.microbatch));
    }
    return order;
  }

 private:
  // The last slot of the latest of an action's inputs; -1: there is none.
  int Inputs(size_t r, const Cell& cell) const {
    const Rank& rank = ranks_[r];
    const size_t type = static_cast<size_t>(cell.type), m = static_cast<size_t>(cell.microbatch);
    int latest = m > 0 ? rank.slots[type][m - 1] : -1;
    const bool away = cell.type == kForwardDown || cell.type == kBackwardUp;  // from rank 0
    if (away ? r > 0 : r + 1 < ranks_.size()) {
      const int end = IsForward(cell.type) ? 0 : 1;
      return std::max(latest, ranks_[away ? r - 1 : r + 1].slots[type][m] + end);
    }
    if (type == 0) return latest;
    return std::max(latest, rank.slots[type - 1][m] + (IsForward(cell.type - 1) ? 0 : 1));
  }

  int Target(const Rank& rank, int type, int slot, int earliest) const {
    if (!IsForward(type)) {
      while (earliest < slot && !(rank.Idle(earliest) && rank.Idle(earliest + 1))) ++earliest;
      return earliest;
    }
    int to = slot;
    while (to > earliest && rank.held[static_cast<size_t>(to - 1)] < peak_) --to;
    while (to < slot && !rank.Idle(to)) ++to;
    return to;
  }

  static void MoveTo(Rank& rank, const Cell& cell, int from, int to) {
    const bool forward = IsForward(cell.type);
    rank.cells[static_cast<size_t>(from)] = {};
    if (!forward) rank.cells[static_cast<size_t>(from) + 1] = {};
    rank.Put(to, cell);
    const int shift = forward ? 0 : 1;  // a backward lets go in its second slot
    for (int slot = to + shift; slot < from + shift; ++slot) {
      rank.held[static_cast<size_t>(slot)] += forward ? 1 : -1;
    }
  }

  std::vector<Rank> ranks_;
  int length_ = 0;
  int peak_ = 0;
};

Result<Schedule> GenerateOneFOneBV(const Options& options) {
  if (auto ok = CheckBlockRanks("1f1b-v", options); !ok) return Fail(ok.error());
  Schedule schedule = EmptySchedule("1f1b-v", options, 2 * static_cast<int>(options.ranks));
  Grid grid(schedule.ranks, schedule.microbatches);
  grid.Squeeze();
  for (size_t r = 0; r < schedule.actions.size(); ++r) schedule.actions[r] = grid.Order(r);
  return schedule;
}

}  // namespace

Family OneFOneBVFamily() {
  return {
      .name = "1f1b-v",
      .aliases = {},
      .summary = "1f1b on a V of two stages a rank, in two thirds of its memory",
      .reference = "Pipeline Parallelism with Controllable Memory, arXiv 2405.15362",
      .constraints = "at most 1024 ranks",
      .options = "--ranks, --microbatches",
      .bubble = "no closed form is known",
      .bubble_exact_when = "never: it is found by moving actions, not by a formula",
      .peak_activations = "at most 2 floor((2p+3)/3)",
      .parameter_copies = 1,
      .chunks = 2,
      .generate = GenerateOneFOneBV,
      .exact_bubble = nullptr,
  };
}

}  // namespace pipescope::schedules
