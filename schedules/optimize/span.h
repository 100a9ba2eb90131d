// The span of an order of kinds, fast: what search and heuristics compare by.
//
// The same rules as schedules/evaluate.h, without its preparation: a rank runs on until an input
// is missing and is called again when its neighbour has made it. Linear in the number of actions.
//
// Example: ranks {F I W} and {F I W} with costs 1 and comm 0: ends 1 4 5 | 2 3 4, span 5.
#pragma once

#include <vector>

#include "schedules/optimize/problem.h"

namespace pipescope::schedules {

class SpanOf {
 public:
  explicit SpanOf(const Problem& problem);

  // The makespan where that is the goal. Infinity where the order hangs, or has an I before its F
  // or a W before its I.
  double operator()(const KindOrder& order);

  // Of the last order: the ranks whose own span is the whole's, in turn.
  const std::vector<double>& rank_span() const { return rank_span_; }

 private:
  struct Rank {
    size_t position = 0;
    int next[3] = {};  // micro-batches done, by kind
    double clock = 0, first = 0;
  };

  void Advance(const Kinds& kinds, size_t rank);
  bool Ready(size_t rank, ActionKind kind, double& arrival) const;

  int microbatches_;
  bool makespan_;
  double comm_;
  std::vector<double> cost_[3];  // [rank]
  std::vector<Rank> ranks_;
  std::vector<double> forward_, input_;  // ends, [rank * microbatches + micro-batch]
  std::vector<size_t> called_;
  std::vector<double> rank_span_;
};

}  // namespace pipescope::schedules
