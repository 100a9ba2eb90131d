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

// Which micro-batches each step of each rank takes, and where on its rank a cell's results are
// made.
struct PlacedTime::Replay {
  struct Done {
    Step step;
    int forward = -1, backward = -1;  // numbers in their slots
    double end = 0;
  };
  std::vector<std::vector<Done>> ranks;
  std::vector<std::vector<int>> forward_at, input_at;  // [cell][number]
};

// What the start of a step waited for: the latest of the rank's own previous step and the inputs.
std::pair<int, int> PlacedTime::Cause(const Replay& replay, int rank, int position) const {
  const auto& own = replay.ranks[static_cast<size_t>(rank)];
  const Replay::Done& done = own[static_cast<size_t>(position)];
  std::pair<int, int> cause = {rank, position - 1};
  double latest = position > 0 ? own[static_cast<size_t>(position) - 1].end : 0;
  const auto input = [&](int cell, int number, double comm, bool forward) {
    if (cell < 0 || number < 0) return;
    const auto c = static_cast<size_t>(cell), k = static_cast<size_t>(number);
    const double arrival = (forward ? forward_end_ : input_end_)[c * of_slot_ + k] + comm;
    if (arrival <= latest) return;
    latest = arrival;
    cause = {cell / 2, (forward ? replay.forward_at : replay.input_at)[c][k]};
  };
  const size_t at = 2 * static_cast<size_t>(rank) + done.step.slot;
  const Cell& forward = cells_[at];
  const Cell& backward = cells_[done.step.kind == kOverlapped ? at ^ 1 : at];
  input(forward.before, done.forward, forward.before_comm, true);
  input(backward.after, done.backward, backward.after_comm, false);
  return cause;
}

std::vector<std::pair<int, int>> PlacedTime::CriticalPath(const StepOrder& order) const {
  Replay replay{std::vector<std::vector<Replay::Done>>(order.size()),
                std::vector<std::vector<int>>(cells_.size()),
                std::vector<std::vector<int>>(cells_.size())};
  for (size_t r = 0; r < order.size(); ++r) {
    double clock = 0;
    for (const Step step : order[r]) {
      Replay::Done done{step};
      const size_t at = 2 * r + step.slot;
      const size_t back = step.kind == kOverlapped ? at ^ 1 : at;
      const int position = static_cast<int>(replay.ranks[r].size());
      clock += cells_[at].cost[static_cast<size_t>(step.kind)];
      if (step.kind == kForward || step.kind == kOverlapped) {
        done.forward = static_cast<int>(replay.forward_at[at].size());
        replay.forward_at[at].push_back(position);
        clock = forward_end_[at * of_slot_ + static_cast<size_t>(done.forward)];
      }
      if (step.kind != kForward && step.kind != kWeightGrad) {
        done.backward = static_cast<int>(replay.input_at[back].size());
        replay.input_at[back].push_back(position);
        clock = input_end_[back * of_slot_ + static_cast<size_t>(done.backward)];
      }
      done.end = clock;
      replay.ranks[r].push_back(done);
    }
  }
  const auto worst = std::max_element(of_rank_.begin(), of_rank_.end());
  const int rank = static_cast<int>(worst - of_rank_.begin());
  std::vector<std::pair<int, int>> path;
  std::pair<int, int> at = {rank, static_cast<int>(order[static_cast<size_t>(rank)].size()) - 1};
  for (; at.second >= 0; at = Cause(replay, at.first, at.second)) path.push_back(at);
  return path;
}

}  // namespace pipescope::schedules
