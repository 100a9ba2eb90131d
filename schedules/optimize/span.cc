#include "schedules/optimize/span.h"

#include <algorithm>
#include <limits>

namespace pipescope::schedules {

SpanOf::SpanOf(const Problem& problem)
    : microbatches_(problem.microbatches),
      makespan_(problem.goal == Goal::kMakespan),
      comm_(problem.costs.comm),
      ranks_(static_cast<size_t>(problem.ranks)),
      forward_(ranks_.size() * static_cast<size_t>(problem.microbatches)),
      input_(forward_.size()),
      rank_span_(ranks_.size()) {
  for (int s = 0; s < problem.ranks; ++s) {
    cost_[0].push_back(problem.costs.Forward(s));
    cost_[1].push_back(problem.costs.InputGrad(s));
    cost_[2].push_back(problem.costs.WeightGrad(s));
  }
}

// Whether the rank's next action of this kind has its input, and from when on.
bool SpanOf::Ready(size_t rank, ActionKind kind, double& arrival) const {
  const Rank& own = ranks_[rank];
  const auto m = static_cast<size_t>(microbatches_);
  if (kind == ActionKind::kForward) {
    if (rank == 0) return true;
    if (ranks_[rank - 1].next[0] <= own.next[0]) return false;
    arrival = forward_[(rank - 1) * m + static_cast<size_t>(own.next[0])] + comm_;
    return true;
  }
  if (kind == ActionKind::kWeightGrad) return own.next[2] < own.next[1];
  if (own.next[1] >= own.next[0]) return false;
  if (rank + 1 == ranks_.size()) return true;
  if (ranks_[rank + 1].next[1] <= own.next[1]) return false;
  arrival = input_[(rank + 1) * m + static_cast<size_t>(own.next[1])] + comm_;
  return true;
}

void SpanOf::Advance(const Kinds& kinds, size_t rank) {
  Rank& own = ranks_[rank];
  const auto m = static_cast<size_t>(microbatches_);
  bool down = false, up = false;
  for (; own.position < kinds.size(); ++own.position) {
    const ActionKind kind = kinds[own.position];
    const auto k = static_cast<size_t>(kind);
    double start = own.clock;
    double arrival = 0;
    if (!Ready(rank, kind, arrival)) break;
    start = std::max(start, arrival);
    if (own.position == 0 && !makespan_) own.first = start;
    own.clock = start + cost_[k][rank];
    const auto microbatch = static_cast<size_t>(own.next[k]++);
    if (kind == ActionKind::kForward) {
      forward_[rank * m + microbatch] = own.clock;
      down = true;
    } else if (kind == ActionKind::kInputGrad) {
      input_[rank * m + microbatch] = own.clock;
      up = true;
    }
  }
  if (down && rank + 1 < ranks_.size()) called_.push_back(rank + 1);
  if (up && rank > 0) called_.push_back(rank - 1);
}

double SpanOf::operator()(const KindOrder& order) {
  for (Rank& rank : ranks_) rank = Rank();
  called_.assign(1, 0);
  while (!called_.empty()) {
    const size_t rank = called_.back();
    called_.pop_back();
    Advance(order[rank], rank);
  }
  double span = 0;
  for (size_t r = 0; r < ranks_.size(); ++r) {
    if (ranks_[r].position < order[r].size()) return std::numeric_limits<double>::infinity();
    rank_span_[r] = ranks_[r].clock - ranks_[r].first;
    span = std::max(span, rank_span_[r]);
  }
  return span;
}

}  // namespace pipescope::schedules
