#include "schedules/optimize/greedy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <limits>
#include <queue>
#include <tuple>

namespace pipescope::schedules {
namespace {

using enum ActionKind;

constexpr double kNever = std::numeric_limits<double>::infinity();

struct Choice {
  Step step;
  double start = kNever;
  double arrival = 0;
  size_t weights = 0;  // W's that must run before, for memory
};

using Choices = std::array<Choice, 6>;  // those that there are not start never

struct Rank {
  double clock = 0, held = 0;
  std::array<std::vector<double>, 2> forward_end, input_end;  // [slot][number]
  std::deque<uint8_t> waiting;                                // slots of W's, oldest first
  bool ran_forward = false;
  int version = 0;
  Steps steps;
};

class Greedy {
 public:
  Greedy(const PlacedProblem& problem, const GreedyRule& rule)
      : problem_(problem), rule_(rule), ranks_(static_cast<size_t>(problem.ranks)) {}

  StepOrder Build() {
    for (int r = 0; r < problem_.ranks; ++r) Call(r);
    while (!calls_.empty()) {
      const auto [time, rank, version] = calls_.top();
      calls_.pop();
      if (version != At(rank).version) continue;
      Act(rank, time);
    }
    StepOrder order;
    for (int r = 0; r < problem_.ranks; ++r) {
      while (!At(r).waiting.empty()) Weight(r);
      order.push_back(std::move(At(r).steps));
    }
    return order;
  }

 private:
  Rank& At(int rank) { return ranks_[static_cast<size_t>(rank)]; }
  double Cost(int rank, int slot, ActionKind kind) const {
    const int stage = problem_.stage(rank, slot);
    if (kind == kForward) return problem_.costs.Forward(stage);
    if (kind == kInputGrad) return problem_.costs.InputGrad(stage);
    if (kind == kWeightGrad) return problem_.costs.WeightGrad(stage);
    if (kind == kBackward) return problem_.costs.Backward(stage);
    return problem_.costs.Overlapped(stage, problem_.stage(rank, 1 - slot));
  }

  // The result that a slot's next F (or its next backward) needs: infinity where it is not there.
  double Arrival(int rank, int slot, bool forward) {
    Rank& own = At(rank);
    const auto s = static_cast<size_t>(slot);
    const size_t next = forward ? own.forward_end[s].size() : own.input_end[s].size();
    const auto end_at = [&](int r, size_t sl) {
      const auto& ends = forward ? At(r).forward_end[sl] : At(r).input_end[sl];
      return next < ends.size() ? ends[next] : kNever;
    };
    if (next >= static_cast<size_t>(problem_.of_slot())) return kNever;
    if (!forward && next >= own.forward_end[s].size()) return kNever;
    const int by = (slot == 0) == forward ? -1 : 1;  // to where it comes from
    const int from = rank + by;
    if (from >= 0 && from < problem_.ranks) return end_at(from, s) + problem_.costs.comm;
    const bool turn = problem_.placement == Placement::kV && (forward ? slot == 1 : slot == 0);
    return turn ? end_at(rank, 1 - s) : 0;
  }

  // Adds to `start` the W's that must run so that `more` fits; infinity where they cannot help.
  void MakeRoom(int rank, double more, double limit, Choice& choice) {
    Rank& own = At(rank);
    double held = own.held, clock = own.clock;
    for (const uint8_t slot : own.waiting) {
      if (held + more <= limit) break;
      held += problem_.memory_of(rank, slot).weight_grad;
      clock += Cost(rank, slot, kWeightGrad);
      ++choice.weights;
    }
    choice.start = held + more <= limit ? std::max(clock, choice.arrival) : kNever;
  }

  double Limit(int rank) const {
    const double limit = problem_.limit[static_cast<size_t>(rank)];
    return limit * (1 + 1e-9);
  }

  // What must still fit once slot's forward is held.
  double Reserve(int rank, int slot, bool pair) {
    double reserve = 0;
    for (int s = 0; s < problem_.slots(); ++s) {
      const MemoryDeltas& memory = problem_.memory_of(rank, s);
      if (!pair && rule_.split != Split::kNever) {
        reserve = std::max({reserve, memory.during_input_grad, memory.input_grad});
      }
    }
    if (problem_.slots() == 1) return reserve;
    const auto other = static_cast<size_t>(1 - slot);
    const size_t done = At(rank).forward_end[other].size();
    const bool idle = done == At(rank).input_end[other].size();
    if (idle && done < static_cast<size_t>(problem_.of_slot())) {
      reserve += problem_.memory_of(rank, 1 - slot).forward;
    }
    return reserve;
  }

  Choice Forward(int rank, int slot) {
    Choice choice{{kForward, static_cast<uint8_t>(slot)}};
    choice.arrival = Arrival(rank, slot, true);
    if (choice.arrival == kNever) return choice;
    const double more = problem_.memory_of(rank, slot).forward + Reserve(rank, slot, false);
    const bool first = At(rank).held <= 0;
    MakeRoom(rank, more, Limit(rank) * (first ? 1 : rule_.share), choice);
    return choice;
  }

  Choice Backward(int rank, int slot) {
    Choice choice{{kInputGrad, static_cast<uint8_t>(slot)}};
    choice.arrival = Arrival(rank, slot, false);
    if (choice.arrival == kNever) return choice;
    const bool forwards_left = Left(rank);
    if (rule_.split == Split::kNever || (rule_.split == Split::kAfterForwards && forwards_left)) {
      choice.step.kind = kBackward;
    } else {
      const MemoryDeltas& memory = problem_.memory_of(rank, slot);
      MakeRoom(rank, std::max(memory.during_input_grad, memory.input_grad), Limit(rank), choice);
      if (choice.start != kNever) return choice;
      choice.step.kind = kBackward;
      choice.weights = 0;
    }
    choice.start = std::max(At(rank).clock, choice.arrival);
    return choice;
  }

  bool Left(int rank) {
    for (int s = 0; s < problem_.slots(); ++s) {
      if (At(rank).forward_end[static_cast<size_t>(s)].size() <
          static_cast<size_t>(problem_.of_slot())) {
        return true;
      }
    }
    return false;
  }

  Choice Pair(int rank, int slot) {
    Choice choice{{kOverlapped, static_cast<uint8_t>(slot)}};
    choice.arrival = std::max(Arrival(rank, slot, true), Arrival(rank, 1 - slot, false));
    if (choice.arrival == kNever) return choice;
    MakeRoom(rank, problem_.memory_of(rank, slot).forward, Limit(rank), choice);
    return choice;
  }

  // Smaller is more urgent.
  std::tuple<int, int, double, int> Urgency(int rank, const Choice& choice) {
    const bool forward = choice.step.kind == kForward;
    bool later = forward;
    if (rule_.urgent == Urgent::kForward) later = !forward;
    if (rule_.urgent == Urgent::kAlternate) later = forward == At(rank).ran_forward;
    const int slot = rule_.first_slot == 2 ? 0 : choice.step.slot != rule_.first_slot;
    const int kind = choice.step.kind == kOverlapped ? -1 : later;
    return {kind, slot, choice.arrival, choice.step.slot};
  }

  Choices ChoicesOf(int rank) {
    Choices all;
    size_t count = 0;
    for (int slot = 0; slot < problem_.slots(); ++slot) {
      all[count++] = Backward(rank, slot);
      all[count++] = Forward(rank, slot);
      if (problem_.pairs) all[count++] = Pair(rank, slot);
    }
    return all;
  }

  double Earliest(const Choices& all) const {
    double earliest = kNever;
    for (const Choice& one : all) earliest = std::min(earliest, one.start);
    return earliest;
  }

  void Call(int rank) {
    const double time = Earliest(ChoicesOf(rank));
    ++At(rank).version;
    if (time != kNever) calls_.emplace(time, rank, At(rank).version);
  }

  void Act(int rank, double time) {
    const Choices all = ChoicesOf(rank);
    const Choice* best = nullptr;
    for (const Choice& one : all) {
      const bool pair = one.step.kind == kOverlapped;
      const double look =
          (pair ? rule_.pair_look : rule_.look) * Cost(rank, one.step.slot, kForward);
      if (one.start == kNever || one.start > time + look) continue;
      if (best == nullptr || Urgency(rank, one) < Urgency(rank, *best)) best = &one;
    }
    Run(rank, *best);
    Call(rank);
    if (rank > 0) Call(rank - 1);
    if (rank + 1 < problem_.ranks) Call(rank + 1);
  }

  void Weight(int rank) {
    Rank& own = At(rank);
    const uint8_t slot = own.waiting.front();
    own.waiting.pop_front();
    own.clock += Cost(rank, slot, kWeightGrad);
    own.held += problem_.memory_of(rank, slot).weight_grad;
    own.steps.push_back({kWeightGrad, slot});
  }

  void Run(int rank, const Choice& choice) {
    Rank& own = At(rank);
    for (size_t i = 0; i < choice.weights; ++i) Weight(rank);
    while (!own.waiting.empty() && own.clock < choice.arrival) {
      const double weight = Cost(rank, own.waiting.front(), kWeightGrad);
      if (weight * (1 - rule_.overrun) > choice.arrival - own.clock) break;
      Weight(rank);
    }
    const auto slot = static_cast<size_t>(choice.step.slot);
    const ActionKind kind = choice.step.kind;
    own.clock = std::max(own.clock, choice.arrival) + Cost(rank, choice.step.slot, kind);
    own.steps.push_back(choice.step);
    own.ran_forward = kind == kForward;
    if (kind == kForward || kind == kOverlapped) {
      own.forward_end[slot].push_back(own.clock);
      own.held += problem_.memory_of(rank, choice.step.slot).forward;
    }
    if (kind == kForward) return;
    const size_t back = kind == kOverlapped ? 1 - slot : slot;
    const MemoryDeltas& memory = problem_.memory_of(rank, static_cast<int>(back));
    own.input_end[back].push_back(own.clock);
    own.held += kind == kInputGrad ? memory.input_grad : -memory.forward;
    if (kind == kInputGrad) own.waiting.push_back(choice.step.slot);
  }

  using TimedCall = std::tuple<double, int, int>;  // time, rank, version

  const PlacedProblem& problem_;
  GreedyRule rule_;
  std::vector<Rank> ranks_;
  std::priority_queue<TimedCall, std::vector<TimedCall>, std::greater<>> calls_;
};

}  // namespace

std::string ToString(const GreedyRule& rule) {
  const char* const kUrgent[] = {"backwards first", "forwards first", "alternating"};
  const char* const kSlot[] = {"slot 0 first", "slot 1 first", "first come"};
  const char* const kSplit[] = {"split", "split after the forwards", "whole"};
  return fmt::format(
      "greedy ({}, {}, backwards {}, look {:g}, overrun {:g}, share {:g}, "
      "pair look {:g})",
      kUrgent[static_cast<size_t>(rule.urgent)], kSlot[rule.first_slot],
      kSplit[static_cast<size_t>(rule.split)], rule.look, rule.overrun, rule.share, rule.pair_look);
}

StepOrder GreedyOrder(const PlacedProblem& problem, const GreedyRule& rule) {
  return Greedy(problem, rule).Build();
}

}  // namespace pipescope::schedules
