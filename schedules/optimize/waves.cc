#include "schedules/optimize/waves.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <limits>

namespace pipescope::schedules {
namespace {

using enum ActionKind;

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr int kRepeats = 8;

struct Cell {  // a stage
  double f = 0, i = 0, w = 0;
  MemoryDeltas memory;
  std::vector<double> forward_end, input_end;

  size_t forwards() const { return forward_end.size(); }
  size_t inputs() const { return input_end.size(); }
};

struct Rank {
  std::array<Cell, 2> cells;
  double clock = 0, bubble = 0, held = 0, limit = 0;
  double allowance = 0;  // by how much its bubbles may fall short of the longest
  std::deque<uint8_t> waiting;
  Steps steps;
};

class Builder {
 public:
  Builder(const PlacedProblem& problem, const WaveSwitches& switches,
          const std::vector<double>& allowance)
      : comm_(problem.costs.comm),
        all_(static_cast<size_t>(problem.microbatches)),
        switches_(switches),
        ranks_(static_cast<size_t>(problem.ranks)) {
    for (size_t r = 0; r < ranks_.size(); ++r) {
      ranks_[r].limit = problem.limit[r] * (1 + 1e-9);
      ranks_[r].allowance = allowance[r];
      for (const int slot : {0, 1}) {
        const int stage = problem.stage(static_cast<int>(r), slot);
        Cell& cell = ranks_[r].cells[static_cast<size_t>(slot)];
        cell.f = problem.costs.Forward(stage);
        cell.i = problem.costs.InputGrad(stage);
        cell.w = problem.costs.WeightGrad(stage);
        cell.memory = problem.memory[static_cast<size_t>(stage)];
      }
    }
  }

  // Whether all was run.
  bool Run() {
    FillDown();
    FillLevel();
    for (size_t before = 0; before < done_;) {
      before = done_;
      Backwards();
      for (size_t r = 0; r < ranks_.size(); ++r) ForwardOf(r);
    }
    for (size_t r = 0; r < ranks_.size(); ++r) {
      while (!ranks_[r].waiting.empty()) Weight(r);
    }
    return done_ == 4 * all_ * ranks_.size();
  }

  double longest_bubble() const { return longest_bubble_; }

  std::vector<double> Shortfalls() const {
    std::vector<double> all;
    for (const Rank& rank : ranks_) all.push_back(longest_bubble_ - rank.bubble);
    return all;
  }

  StepOrder Order() const {
    StepOrder order;
    for (const Rank& rank : ranks_) order.push_back(rank.steps);
    return order;
  }

 private:
  Cell& At(size_t r, size_t slot) { return ranks_[r].cells[slot]; }
  size_t last() const { return ranks_.size() - 1; }

  // When the input of the next forward or backward is there; infinity where it is not made yet.
  double Arrival(size_t r, size_t slot, bool forward) {
    const Cell& own = At(r, slot);
    const size_t next = forward ? own.forwards() : own.inputs();
    if (next >= all_ || (!forward && next >= own.forwards())) return kNever;
    const bool down = (slot == 0) == forward;  // from the rank before
    const auto end = [&](const Cell& from) {
      const auto& ends = forward ? from.forward_end : from.input_end;
      return next < ends.size() ? ends[next] : kNever;
    };
    if (down && r > 0) return end(At(r - 1, slot)) + comm_;
    if (!down && r < last()) return end(At(r + 1, slot)) + comm_;
    if (forward) return slot == 0 ? 0 : end(At(r, 0));
    return slot == 1 ? own.forward_end[next] : end(At(r, 1));
  }

  // Nothing where the input is not made yet.
  void Put(size_t r, size_t slot, bool forward) {
    Rank& rank = ranks_[r];
    Cell& cell = rank.cells[slot];
    const double arrival = Arrival(r, slot, forward);
    if (arrival == kNever) return;
    ++done_;
    const double start = std::max(rank.clock, arrival);
    if (!rank.steps.empty()) {
      rank.bubble += start - rank.clock;
      longest_bubble_ = std::max(longest_bubble_, rank.bubble);
    }
    rank.clock = start + (forward ? cell.f : cell.i);
    (forward ? cell.forward_end : cell.input_end).push_back(rank.clock);
    rank.held += forward ? cell.memory.forward : cell.memory.input_grad;
    if (!forward) rank.waiting.push_back(static_cast<uint8_t>(slot));
    rank.steps.push_back({forward ? kForward : kInputGrad, static_cast<uint8_t>(slot)});
  }

  void Weight(size_t r) {
    Rank& rank = ranks_[r];
    const uint8_t slot = rank.waiting.front();
    rank.waiting.pop_front();
    rank.clock += rank.cells[slot].w;
    rank.held += rank.cells[slot].memory.weight_grad;
    rank.steps.push_back({kWeightGrad, slot});
  }

  void FillDown() {
    for (size_t r = 0; r < ranks_.size(); ++r) Put(r, 0, true);
    for (size_t r = ranks_.size(); r-- > 0;) {
      while (r < last() && MayFill(r)) {
        for (size_t above = 0; above <= r; ++above) Put(above, 0, true);
      }
      Put(r, 1, true);
    }
  }

  // Whether ranks up to r can take one more forward down before r's first one up.
  bool MayFill(size_t r) {
    const Rank& rank = ranks_[r];
    const double one = rank.cells[0].memory.forward;
    const double needs = rank.held + one * static_cast<double>(2 + 2 * r);
    return rank.cells[0].forwards() < all_ && needs <= rank.limit * switches_.share &&
           rank.clock + switches_.fill_gap * rank.cells[0].f <= Arrival(r, 1, true);
  }

  void FillLevel() {
    size_t slot = 0;
    for (size_t r = 1; r < ranks_.size(); ++r) {
      int idle = 0;  // turns in a row without a forward
      while (Behind(r) && idle < 2) {
        const size_t before = done_;
        for (size_t below = ranks_.size(); below-- > r;) Put(below, slot, true);
        slot = 1 - slot;
        idle = done_ == before ? idle + 1 : 0;
      }
    }
  }

  bool Behind(size_t r) const {
    const auto& own = ranks_[r].cells;
    const auto& before = ranks_[r - 1].cells;
    return own[0].forwards() + own[1].forwards() < before[0].forwards() + before[1].forwards() ||
           (own[1].forwards() <= before[1].forwards() && before[1].forwards() < all_);
  }

  // The slot of a rank's next backward.
  size_t BackwardSlot(size_t r) {
    const auto& own = ranks_[r].cells;
    if (own[0].inputs() >= own[1].inputs()) return 1;
    if (r == last() || own[1].inputs() == all_) return 0;
    return At(r + 1, 0).inputs() > own[0].inputs() ? 0 : 1;
  }

  void Backwards() {
    std::vector<size_t> slots;
    for (size_t r = 0; r < ranks_.size(); ++r) slots.push_back(BackwardSlot(r));
    for (size_t r = ranks_.size(); r-- > 0;) {
      if (slots[r] == 0) BackwardOf(r, 0);
    }
    for (size_t r = 0; r < ranks_.size(); ++r) {
      if (slots[r] == 1) BackwardOf(r, 1);
    }
  }

  void BackwardOf(size_t r, size_t slot) {
    const MemoryDeltas& memory = At(r, slot).memory;
    const double arrival = Arrival(r, slot, false);
    if (arrival == kNever) return;
    MakeRoom(r, std::max(memory.input_grad, memory.during_input_grad));
    Fill(r, arrival, slot == 0 || switches_.overrun_up);
    Put(r, slot, false);
  }

  void ForwardOf(size_t r) {
    const auto& own = ranks_[r].cells;
    if (own[1].forwards() >= all_) return;
    const bool up = own[1].forwards() < own[0].forwards() &&
                    (r == last() || At(r + 1, 1).forwards() > own[1].forwards());
    const size_t slot = up ? 1 : 0;
    const double arrival = Arrival(r, slot, true);
    if (arrival == kNever) return;
    MakeRoom(r, own[slot].memory.forward);
    if (ranks_[r].held + own[slot].memory.forward > ranks_[r].limit)
      return;  // a later wave has room
    Fill(r, arrival, switches_.overrun_forward);
    Put(r, slot, true);
  }

  void MakeRoom(size_t r, double more) {
    while (ranks_[r].held + more > ranks_[r].limit && !ranks_[r].waiting.empty()) Weight(r);
  }

  // W's in the gap until `arrival`.
  void Fill(size_t r, double arrival, bool overrun) {
    Rank& rank = ranks_[r];
    while (!rank.waiting.empty()) {
      const double gap = arrival - rank.clock;
      if (gap < rank.cells[rank.waiting.front()].w) break;
      Weight(r);
    }
    const double gap = arrival - rank.clock;
    const double longest = std::max(longest_bubble_ - rank.bubble, rank.allowance - rank.bubble);
    if (overrun && gap > 0 && !rank.waiting.empty() && gap > longest) Weight(r);
  }

  double comm_;
  size_t all_;
  WaveSwitches switches_;
  std::vector<Rank> ranks_;
  double longest_bubble_ = 0;
  size_t done_ = 0;  // forwards and backwards of all ranks
};

}  // namespace

std::string ToString(const WaveSwitches& switches) {
  return fmt::format(
      "waves (overrun before forwards {}, before the up leg {}, share {:g}, gap {:g})",
      switches.overrun_forward ? "on" : "off", switches.overrun_up ? "on" : "off", switches.share,
      switches.fill_gap);
}

StepOrder OrderByWaves(const PlacedProblem& problem, const WaveSwitches& switches) {
  std::vector<double> allowance(static_cast<size_t>(problem.ranks), 0);
  StepOrder best;
  double least = kNever;
  for (int i = 0; i < kRepeats; ++i) {
    Builder builder(problem, switches, allowance);
    const bool complete = builder.Run();
    if (best.empty()) best = builder.Order();
    if (!complete || builder.longest_bubble() >= least) break;
    best = builder.Order();
    least = builder.longest_bubble();
    allowance = builder.Shortfalls();
  }
  return best;
}

}  // namespace pipescope::schedules
