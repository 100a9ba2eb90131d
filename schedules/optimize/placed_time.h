// The time of an order of steps, fast: what the placed search and its heuristics compare by.
//
// The same rules as schedules/evaluate.h, without its preparation: a rank runs on until an input is
// missing and is called again when a neighbour has made something. Linear in the number of steps.
//
// Example: V, 1 rank, F0 F1 B1 B0 with F = I = W = 1: 6.
#pragma once

#include <utility>
#include <vector>

#include "schedules/optimize/placed_problem.h"

namespace pipescope::schedules {

class PlacedTime {
 public:
  explicit PlacedTime(const PlacedProblem& problem);

  // The goal's value; infinity where the order hangs or is illegal.
  double operator()(const StepOrder& order);

  // Of the last order: each rank's own span, or last end where the makespan counts.
  const std::vector<double>& of_rank() const { return of_rank_; }

  // Of the last order, which must not have hung: (rank, position) of the steps that the value hangs
  // on, from the last one back. Each waited for the next on the list, or for a hop after it.
  std::vector<std::pair<int, int>> CriticalPath(const StepOrder& order) const;

 private:
  struct Cell {                   // a slot of a rank
    int before = -1, after = -1;  // the cells of the previous and the next stage
    double before_comm = 0, after_comm = 0;
    double cost[5] = {};  // by kind; a pair's by its forward's cell
    int forwards = 0, inputs = 0, waiting = 0;
  };
  struct Rank {
    size_t position = 0;
    double clock = 0, first = 0;
  };

  void AddCell(int rank, int slot);
  bool ForwardReady(const Cell& cell, double& start) const;
  bool BackwardReady(const Cell& cell, double& start) const;
  bool Run(Step step, size_t rank, double& clock);
  struct Replay;
  std::pair<int, int> Cause(const Replay& replay, int rank, int position) const;
  bool Advance(const Steps& steps, size_t rank);

  const PlacedProblem& problem_;
  size_t of_slot_;
  std::vector<Cell> cells_;  // [2 rank + slot]
  std::vector<Rank> ranks_;
  std::vector<double> forward_end_, input_end_;  // [cell * of_slot + number]
  std::vector<int> called_;
  std::vector<double> of_rank_;
};

}  // namespace pipescope::schedules
