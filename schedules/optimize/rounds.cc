#include "schedules/optimize/rounds.h"

#include <algorithm>

namespace pipescope::schedules {
namespace {

constexpr auto kF = ActionKind::kForward;
constexpr auto kI = ActionKind::kInputGrad;
constexpr auto kW = ActionKind::kWeightGrad;

struct Rank {
  int forwards = 0, inputs = 0, weights = 0;  // done
  double clock = 0, bubble = 0, held = 0;
  double f = 0, i = 0, w = 0;  // costs
  std::vector<double> forward_end, input_end;
};

class Builder {
 public:
  Builder(const Problem& problem, RoundSwitches switches)
      : problem_(problem),
        switches_(switches),
        ranks_(static_cast<size_t>(problem.ranks)),
        order_(ranks_.size()) {
    for (size_t r = 0; r < ranks_.size(); ++r) {
      const int stage = static_cast<int>(r);
      ranks_[r].f = problem.costs.Forward(stage);
      ranks_[r].i = problem.costs.InputGrad(stage);
      ranks_[r].w = problem.costs.WeightGrad(stage);
    }
  }

  KindOrder Build() {
    for (size_t r = 0; r < ranks_.size(); ++r) Put(r, kF);
    WarmUp();
    for (size_t r = ranks_.size(); r-- > 0;) Put(r, kI);
    for (int round = 1; round < problem_.microbatches; ++round) {
      Forwards(round);
      InputGrads();
    }
    for (size_t r = 0; r < ranks_.size(); ++r) {
      while (ranks_[r].weights < problem_.microbatches) Put(r, kW);
    }
    return std::move(order_);
  }

 private:
  // When the input of the rank's next F or I is there; that of an earlier action must be known.
  double Arrival(size_t r, ActionKind kind) const {
    const Rank& rank = ranks_[r];
    const double comm = problem_.costs.comm;
    if (kind == kF) {
      if (r == 0) return 0;
      return ranks_[r - 1].forward_end[static_cast<size_t>(rank.forwards)] + comm;
    }
    if (r + 1 == ranks_.size()) return rank.forward_end[static_cast<size_t>(rank.inputs)];
    return ranks_[r + 1].input_end[static_cast<size_t>(rank.inputs)] + comm;
  }

  void Put(size_t r, ActionKind kind) {
    Rank& rank = ranks_[r];
    if (kind == kW) {
      rank.clock += rank.w;
      ++rank.weights;
    } else {
      const double start = std::max(rank.clock, Arrival(r, kind));
      if (!order_[r].empty()) Wait(r, start - rank.clock);
      rank.clock = start + (kind == kF ? rank.f : rank.i);
      (kind == kF ? rank.forward_end : rank.input_end).push_back(rank.clock);
      ++(kind == kF ? rank.forwards : rank.inputs);
    }
    rank.held += DeltaOf(problem_.memory[r], kind);
    order_[r].push_back(kind);
  }

  void Wait(size_t r, double gap) {
    ranks_[r].bubble += gap;
    longest_bubble_ = std::max(longest_bubble_, ranks_[r].bubble);
  }

  bool Fits(size_t r) const {
    return ranks_[r].held + problem_.memory[r].forward <= LimitOf(problem_, r);
  }

  // When the rank has run a forward, with the W's that must make room for it.
  double AfterForward(size_t r) const {
    const Rank& rank = ranks_[r];
    const MemoryDeltas& memory = problem_.memory[r];
    double clock = rank.clock + rank.f, held = rank.held + memory.forward;
    for (int w = rank.weights; held > LimitOf(problem_, r) && w < rank.inputs; ++w) {
      clock += rank.w;
      held += memory.weight_grad;
    }
    return clock;
  }

  // How many more forwards each rank takes before its first I.
  void WarmUp() {
    std::vector<int> more(ranks_.size(), 0);
    const int most = switches_.most_in_warm_up > 0
                         ? std::min(switches_.most_in_warm_up, problem_.microbatches)
                         : problem_.microbatches;
    double arrival = 0;
    for (size_t r = ranks_.size(); r-- > 0;) {
      const Rank& rank = ranks_[r];
      double clock = rank.clock;
      double held = rank.held + problem_.memory[r].forward;
      while (r + 1 < ranks_.size() && more[r] + 1 < most && held <= LimitOf(problem_, r) &&
             clock < arrival && clock + switches_.warm_up_gap * rank.f <= arrival) {
        clock += rank.f;
        held += problem_.memory[r].forward;
        ++more[r];
      }
      arrival = std::max(clock, arrival) + rank.i + problem_.costs.comm;
    }
    for (size_t r = 0; r < ranks_.size(); ++r) {
      const bool exhausted = r > 0 && more[r - 1] + 1 == problem_.microbatches;
      if (r > 0 && !exhausted) more[r] = std::min(more[r], std::max(0, more[r - 1] - 1));
      while (ranks_[r].forwards <= more[r]) Put(r, kF);
    }
  }

  // Which ranks run a forward in this round.
  std::vector<bool> Choose(int round) const {
    std::vector<bool> chosen(ranks_.size());
    double arrival = 0;
    for (size_t r = ranks_.size(); r-- > 0;) {
      const Rank& rank = ranks_[r];
      const bool left = rank.forwards < problem_.microbatches;
      const bool must = left && rank.forwards == round;  // its I would have no forward
      bool wanted = left && (r + 1 == ranks_.size() || chosen[r + 1] ||
                             ranks_[r + 1].forwards == problem_.microbatches);
      if (r + 1 == ranks_.size()) arrival = must ? AfterForward(r) : rank.clock;
      const bool ahead = r + 1 < ranks_.size() && rank.forwards >= ranks_[r + 1].forwards + 2;
      if (switches_.prefer_input_grad && wanted && ahead && AfterForward(r) > arrival &&
          arrival - rank.clock <= longest_bubble_ - rank.bubble) {
        wanted = false;
      }
      chosen[r] = must || wanted;
      const double free = chosen[r] ? AfterForward(r) : rank.clock;
      arrival = std::max(free, arrival) + rank.i + problem_.costs.comm;
    }
    return chosen;
  }

  void Forwards(int round) {
    const std::vector<bool> chosen = Choose(round);
    for (size_t r = 0; r < ranks_.size(); ++r) {
      if (!chosen[r]) continue;
      if (r > 0 && ranks_[r - 1].forwards <= ranks_[r].forwards) continue;
      const bool must = ranks_[r].forwards == round;
      while (!Fits(r) && ranks_[r].weights < ranks_[r].inputs) Put(r, kW);
      if (!Fits(r) && !must) continue;
      Fill(r, Arrival(r, kF));
      Put(r, kF);
    }
  }

  void InputGrads() {
    for (size_t r = ranks_.size(); r-- > 0;) {
      Fill(r, Arrival(r, kI));
      Put(r, kI);
      if (r > 0 || ranks_[r].forwards < problem_.microbatches) continue;
      while (ranks_[r].weights < ranks_[r].inputs) Put(r, kW);
    }
  }

  // W's in the gap until `arrival`.
  void Fill(size_t r, double arrival) {
    Rank& rank = ranks_[r];
    while (rank.weights < rank.inputs && rank.clock < arrival) {
      const double gap = arrival - rank.clock;
      if (gap < rank.w && !MayOverrun(rank, gap)) return;
      Put(r, kW);
    }
  }

  bool MayOverrun(const Rank& rank, double gap) const {
    if (switches_.overrun == Overrun::kBehind) return gap > longest_bubble_ - rank.bubble;
    return switches_.overrun == Overrun::kAnywhere;
  }

  const Problem& problem_;
  RoundSwitches switches_;
  std::vector<Rank> ranks_;
  KindOrder order_;
  double longest_bubble_ = 0;
};

}  // namespace

KindOrder OrderByRounds(const Problem& problem, RoundSwitches switches) {
  return Builder(problem, switches).Build();
}

}  // namespace pipescope::schedules
