#include "schedules/families/building_block.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pipescope::schedules {
namespace {

// In the order in which a micro-batch passes a rank. kWeight is any weight gradient, or one of the
// up leg where they are told apart.
enum Type { kForwardDown, kForwardUp, kInputUp, kInputDown, kWeight, kWeightDown, kTypes };

struct Cell {
  int type = kTypes;  // kTypes: idle
  int number = 0;     // of its type on the rank
  bool idle() const { return type == kTypes; }
};

// Activations before a slot, and input gradients whose weight gradient is still to come.
struct Level {
  int held = 0;
  int owed = 0;
  friend bool operator==(const Level&, const Level&) = default;
};

struct Rank {
  std::vector<Cell> cells;                                  // [slot]
  std::array<std::vector<int>, kTypes> slots;               // [type][number]
  std::vector<Level> levels;                                // [slot], before it
  int weights_seen = 0, up = 0, down = 0, last_input = -1;  // where the W's inputs are looked up
};

class Block {
 public:
  Block(const std::vector<BlockSlots>& block, int microbatches)
      : microbatches_(microbatches), ranks_(block.size()) {
    constexpr int kPeriod = 6;
    for (size_t r = 0; r < block.size(); ++r) {
      const std::array<int, 4> first = {block[r].forward_down, block[r].forward_up,
                                        block[r].input_up, block[r].input_down};
      for (int type = 0; type < 4; ++type) {
        for (int m = 0; m < microbatches; ++m) {
          Put(ranks_[r], first[static_cast<size_t>(type)] + kPeriod * m, {type, m});
        }
      }
    }
  }

  std::vector<std::vector<Action>> Run() {
    for (Rank& rank : ranks_) PutWeights(rank, false);
    Move(true);
    Squeeze();
    for (Rank& rank : ranks_) DropWeights(rank);
    Move(false);
    // What the second pass finds is squeezed with its weight gradients, which are then dealt anew.
    for (Rank& rank : ranks_) PutWeights(rank, false);
    Squeeze();
    for (Rank& rank : ranks_) {
      DropWeights(rank);
      PutWeights(rank, true);
    }
    return Orders();
  }

 private:
  static void Put(Rank& rank, int slot, Cell cell) {
    const size_t at = static_cast<size_t>(slot), n = static_cast<size_t>(cell.number);
    if (rank.cells.size() <= at) rank.cells.resize(at + 1);
    rank.cells[at] = cell;
    auto& slots = rank.slots[static_cast<size_t>(cell.type)];
    if (slots.size() <= n) slots.resize(n + 1);
    slots[n] = slot;
  }

  // `apart`: those of the up leg first, each with its own micro-batch's number.
  static void PutWeights(Rank& rank, bool apart) {
    std::array<int, 2> owed = {}, done = {};
    for (int slot = 0; slot < static_cast<int>(rank.cells.size()) || owed[0] + owed[1] > 0;
         ++slot) {
      const bool within = slot < static_cast<int>(rank.cells.size());
      const Cell cell = within ? rank.cells[static_cast<size_t>(slot)] : Cell{};
      if (cell.type == kInputUp) ++owed[0];
      if (cell.type == kInputDown) ++owed[apart ? 1 : 0];
      const size_t leg = owed[0] > 0 ? 0 : 1;
      if (!cell.idle() || owed[leg] == 0) continue;
      --owed[leg];
      Put(rank, slot, {leg == 0 ? kWeight : kWeightDown, done[leg]++});
    }
  }

  static void DropWeights(Rank& rank) {
    for (Cell& cell : rank.cells) {
      if (cell.type == kWeight) cell = {};
    }
    while (rank.cells.back().idle()) rank.cells.pop_back();
    rank.slots[kWeight].clear();
  }

  // Visits all actions by slot, then rank; what is moved meanwhile goes to slots already seen.
  template <class Visit>
  void ForEach(Visit visit) {
    size_t length = 0;
    for (const Rank& rank : ranks_) length = std::max(length, rank.cells.size());
    for (size_t slot = 0; slot < length; ++slot) {
      for (size_t r = 0; r < ranks_.size(); ++r) {
        if (slot >= ranks_[r].cells.size() || ranks_[r].cells[slot].idle()) continue;
        visit(r, static_cast<int>(slot), ranks_[r].cells[slot]);
      }
    }
  }

  // The slot of the latest of an action's inputs (but a weight gradient's); -1: there is none.
  int Inputs(size_t r, const Cell& cell) const {
    const Rank& rank = ranks_[r];
    const size_t type = static_cast<size_t>(cell.type), n = static_cast<size_t>(cell.number);
    int latest = n > 0 ? rank.slots[type][n - 1] : -1;
    if (cell.type >= kWeight) return latest;
    const bool away = cell.type == kForwardDown || cell.type == kInputUp;  // from rank 0
    if (away ? r > 0 : r + 1 < ranks_.size()) {
      latest = std::max(latest, ranks_[away ? r - 1 : r + 1].slots[type][n]);
    }
    if (cell.type > 0) latest = std::max(latest, rank.slots[type - 1][n]);
    return latest;
  }

  // The slot of the rank's next input gradient, counting both legs by slot: the input of its next
  // weight gradient. What moved before the last one since counts as that.
  static int NextInput(Rank& rank) {
    const auto& up = rank.slots[kInputUp];
    const auto& down = rank.slots[kInputDown];
    const size_t i = static_cast<size_t>(rank.up), j = static_cast<size_t>(rank.down);
    const bool takes_up = j >= down.size() || (i < up.size() && up[i] < down[j]);
    ++(takes_up ? rank.up : rank.down);
    return rank.last_input = std::max(rank.last_input, takes_up ? up[i] : down[j]);
  }

  // Where weight gradients have no slots, they run in idle ones.
  static Level After(Level level, const Cell& cell, bool weights) {
    if (cell.type == kForwardDown || cell.type == kForwardUp) ++level.held;
    if (cell.type == kInputUp || cell.type == kInputDown) ++level.owed;
    if (cell.type == kWeight || (cell.idle() && !weights && level.owed > 0)) {
      --level.held;
      --level.owed;
    }
    return level;
  }

  static int FillLevels(Rank& rank, bool weights) {
    rank.levels.assign(rank.cells.size() + 1, {});
    int peak = 0;
    for (size_t slot = 0; slot < rank.cells.size(); ++slot) {
      rank.levels[slot + 1] = After(rank.levels[slot], rank.cells[slot], weights);
      peak = std::max(peak, rank.levels[slot + 1].held);
    }
    return peak;
  }

  // Moves the action at `from` to the idle slot `to` if the peak allows; else changes nothing.
  bool TryMove(Rank& rank, int from, int to, bool weights) {
    std::swap(rank.cells[static_cast<size_t>(from)], rank.cells[static_cast<size_t>(to)]);
    const size_t begin = static_cast<size_t>(to);
    const auto walk = [&](auto visit) {  // until the levels are what they were
      Level level = rank.levels[begin];
      for (size_t slot = begin; slot < rank.cells.size(); ++slot) {
        level = After(level, rank.cells[slot], weights);
        if (slot >= static_cast<size_t>(from) && level == rank.levels[slot + 1]) return true;
        if (!visit(slot + 1, level)) return false;
      }
      return true;
    };
    if (!walk([&](size_t, const Level& level) { return level.held <= peak_; })) {
      std::swap(rank.cells[static_cast<size_t>(from)], rank.cells[static_cast<size_t>(to)]);
      return false;
    }
    walk([&](size_t at, const Level& level) {
      rank.levels[at] = level;
      return true;
    });
    const Cell& cell = rank.cells[begin];
    rank.slots[static_cast<size_t>(cell.type)][static_cast<size_t>(cell.number)] = to;
    return true;
  }

  void Move(bool weights) {
    peak_ = 0;
    for (Rank& rank : ranks_) peak_ = std::max(peak_, FillLevels(rank, weights));
    enum { kFill, kSteady, kDrain } phase = kFill;
    ForEach([&](size_t r, int slot, const Cell cell) {
      Rank& rank = ranks_[r];
      int inputs = Inputs(r, cell);
      if (cell.type == kWeight) inputs = std::max(inputs, NextInput(rank));
      if (phase == kFill && r == 0 && cell.type == kInputDown) phase = kSteady;
      if (phase == kSteady) {
        if (cell.type == kForwardDown && cell.number == microbatches_ - 1) phase = kDrain;
        return;
      }
      if (phase == kFill && !weights) return;
      for (int to = inputs + 1; to < slot; ++to) {
        if (!rank.cells[static_cast<size_t>(to)].idle()) continue;
        if (TryMove(rank, slot, to, weights)) return;
      }
    });
  }

  // Every action takes one slot and starts as soon as it can, in the order there is.
  void Squeeze() {
    std::vector<int> next(ranks_.size());
    std::vector<Rank> result(ranks_.size());
    // Inputs are looked up in the old ranks, whose slots are renewed as the walk goes.
    ForEach([&](size_t r, int, const Cell cell) {
      const int slot = std::max(next[r], Inputs(r, cell) + 1);
      next[r] = slot + 1;
      ranks_[r].slots[static_cast<size_t>(cell.type)][static_cast<size_t>(cell.number)] = slot;
      Put(result[r], slot, cell);
    });
    ranks_ = std::move(result);
  }

  std::vector<std::vector<Action>> Orders() const {
    constexpr std::array<ActionKind, kTypes> kKinds = {
        ActionKind::kForward,   ActionKind::kForward,    ActionKind::kInputGrad,
        ActionKind::kInputGrad, ActionKind::kWeightGrad, ActionKind::kWeightGrad};
    std::vector<std::vector<Action>> orders(ranks_.size());
    for (size_t r = 0; r < ranks_.size(); ++r) {
      const int down = static_cast<int>(r), up = 2 * static_cast<int>(ranks_.size()) - 1 - down;
      orders[r].reserve(6 * static_cast<size_t>(microbatches_));
      for (const Cell& cell : ranks_[r].cells) {
        if (cell.idle()) continue;
        const bool is_down =
            cell.type == kForwardDown || cell.type == kInputDown || cell.type == kWeightDown;
        orders[r].push_back(
            Make(kKinds[static_cast<size_t>(cell.type)], is_down ? down : up, cell.number));
      }
    }
    return orders;
  }

  int microbatches_;
  std::vector<Rank> ranks_;
  int peak_ = 0;
};

}  // namespace

Status CheckBlockRanks(const std::string& name, const Options& options) {
  constexpr int64_t kMostRanks = 1024;
  if (options.ranks <= kMostRanks) return {};
  return BadOption("--ranks", options.ranks,
                   fmt::format("{} is worked out for at most {} ranks", name, kMostRanks));
}

std::vector<std::vector<Action>> OrdersFromBlock(const std::vector<BlockSlots>& block,
                                                 int microbatches) {
  return Block(block, microbatches).Run();
}

}  // namespace pipescope::schedules
