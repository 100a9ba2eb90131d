#include "schedules/optimize/placed_time.h"

#include <algorithm>
#include <limits>

namespace pipescope::schedules {

using enum ActionKind;

PlacedTime::PlacedTime(const PlacedProblem& problem)
    : problem_(problem),
      of_slot_(static_cast<size_t>(problem.of_slot())),
      cells_(2 * static_cast<size_t>(problem.ranks)),
      ranks_(static_cast<size_t>(problem.ranks)),
      forward_end_(cells_.size() * of_slot_),
      input_end_(forward_end_.size()),
      of_rank_(ranks_.size()) {
  for (int rank = 0; rank < problem.ranks; ++rank) {
    for (int slot = 0; slot < problem.slots(); ++slot) AddCell(rank, slot);
  }
}

void PlacedTime::AddCell(int rank, int slot) {
  Cell& cell = cells_[static_cast<size_t>(2 * rank + slot)];
  const int last = problem_.ranks - 1, by = slot == 0 ? 1 : -1;
  const int before = rank - by, after = rank + by;
  const bool turns = problem_.placement == Placement::kV;
  if (before >= 0 && before <= last) {
    cell.before = 2 * before + slot;
    cell.before_comm = problem_.costs.comm;
  } else if (turns && slot == 1) {
    cell.before = 2 * rank;
  }
  if (after >= 0 && after <= last) {
    cell.after = 2 * after + slot;
    cell.after_comm = problem_.costs.comm;
  } else if (turns && slot == 0) {
    cell.after = 2 * rank + 1;
  }
  const int stage = problem_.stage(rank, slot);
  const Costs& costs = problem_.costs;
  cell.cost[static_cast<size_t>(kForward)] = costs.Forward(stage);
  cell.cost[static_cast<size_t>(kInputGrad)] = costs.InputGrad(stage);
  cell.cost[static_cast<size_t>(kWeightGrad)] = costs.WeightGrad(stage);
  cell.cost[static_cast<size_t>(kBackward)] = costs.Backward(stage);
  cell.cost[static_cast<size_t>(kOverlapped)] =
      costs.Overlapped(stage, problem_.stage(rank, 1 - slot));
}

bool PlacedTime::ForwardReady(const Cell& cell, double& start) const {
  if (cell.forwards >= static_cast<int>(of_slot_)) return false;
  if (cell.before < 0) return true;
  const auto before = static_cast<size_t>(cell.before);
  if (cells_[before].forwards <= cell.forwards) return false;
  start = std::max(start, forward_end_[before * of_slot_ + static_cast<size_t>(cell.forwards)] +
                              cell.before_comm);
  return true;
}

bool PlacedTime::BackwardReady(const Cell& cell, double& start) const {
  if (cell.inputs >= cell.forwards) return false;
  if (cell.after < 0) return true;
  const auto after = static_cast<size_t>(cell.after);
  if (cells_[after].inputs <= cell.inputs) return false;
  start = std::max(
      start, input_end_[after * of_slot_ + static_cast<size_t>(cell.inputs)] + cell.after_comm);
  return true;
}

bool PlacedTime::Run(Step step, size_t rank, double& clock) {
  const size_t at = 2 * rank + step.slot;
  Cell& cell = cells_[at];
  const double cost = cell.cost[static_cast<size_t>(step.kind)];
  const auto give_forward = [&] {
    forward_end_[at * of_slot_ + static_cast<size_t>(cell.forwards++)] = clock;
  };
  const auto give_input = [&](size_t c) {
    input_end_[c * of_slot_ + static_cast<size_t>(cells_[c].inputs++)] = clock;
  };
  if (step.kind == kWeightGrad) {
    if (cell.waiting == 0) return false;
    --cell.waiting;
    clock += cost;
    return true;
  }
  if (step.kind == kForward) {
    if (!ForwardReady(cell, clock)) return false;
    clock += cost;
    give_forward();
    return true;
  }
  if (step.kind == kOverlapped) {
    const size_t other = at ^ 1;
    if (!ForwardReady(cell, clock) || !BackwardReady(cells_[other], clock)) return false;
    clock += cost;
    give_forward();
    give_input(other);
    return true;
  }
  if (!BackwardReady(cell, clock)) return false;
  clock += cost;
  give_input(at);
  if (step.kind == kInputGrad) ++cell.waiting;
  return true;
}

// Whether it got any further.
bool PlacedTime::Advance(const Steps& steps, size_t rank) {
  Rank& own = ranks_[rank];
  const size_t before = own.position;
  for (; own.position < steps.size(); ++own.position) {
    const Step step = steps[own.position];
    double clock = own.clock;
    if (!Run(step, rank, clock)) break;
    if (own.position == 0 && problem_.goal == Goal::kSpan) {
      own.first = clock - cells_[2 * rank + step.slot].cost[static_cast<size_t>(step.kind)];
    }
    own.clock = clock;
  }
  return own.position > before;
}

double PlacedTime::operator()(const StepOrder& order) {
  for (Cell& cell : cells_) cell.forwards = cell.inputs = cell.waiting = 0;
  for (Rank& rank : ranks_) rank = Rank();
  called_.clear();
  for (int r = problem_.ranks; r-- > 0;) called_.push_back(r);
  while (!called_.empty()) {
    const int rank = called_.back();
    called_.pop_back();
    if (!Advance(order[static_cast<size_t>(rank)], static_cast<size_t>(rank))) continue;
    if (rank > 0) called_.push_back(rank - 1);
    if (rank + 1 < problem_.ranks) called_.push_back(rank + 1);
  }
  double value = 0;
  for (size_t r = 0; r < ranks_.size(); ++r) {
    if (ranks_[r].position < order[r].size()) return std::numeric_limits<double>::infinity();
    of_rank_[r] = ranks_[r].clock - ranks_[r].first;
    value = std::max(value, of_rank_[r]);
  }
  return value;
}

}  // namespace pipescope::schedules
