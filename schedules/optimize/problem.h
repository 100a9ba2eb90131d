// What the optimizer is asked: one chunk a rank, backwards split into I and W, a memory limit.
//
// Rank r runs stage r. Micro-batches are alike, so each rank takes them in turn for each kind of
// action, and an order is told by its kinds alone: F F I W F I W W for "0F0 0F1 0I0 0W0 ...".
//
//   memory    F adds forward, I adds input_grad, W adds weight_grad (the latter two at most 0, the
//             three sum to 0); no prefix of a rank's order may exceed the rank's limit
//   goal      the least span: max over ranks of (own last end - own first start), timed by the
//             rules of schedules/evaluate.h. A rank's first action can only be F0, whose start
//             sum(F of earlier ranks) + r * comm no order changes
//
// Example: 2 ranks, 4 micro-batches, F = I = W = 1, comm = 0. Where I and W each free half, a limit
// of 2 activations gives span 13, one of 3 the least possible 12.
// Source: Qi et al., "Zero Bubble Pipeline Parallelism", arXiv 2401.10241, section 3.
#pragma once

#include <string>
#include <vector>

#include "schedules/profile.h"
#include "schedules/schedule.h"
#include "sim/base/result.h"

namespace pipescope::schedules {

struct Problem {
  int ranks = 0;
  int microbatches = 0;
  Costs costs;                       // F, I, W and comm are used
  std::vector<MemoryDeltas> memory;  // [rank]
  std::vector<double> limit;         // [rank], in the unit of `memory`
  Goal goal = Goal::kSpan;           // the makespan is minded by heuristic and span.h alone
};

using Kinds = std::vector<ActionKind>;  // of kForward, kInputGrad and kWeightGrad
using KindOrder = std::vector<Kinds>;   // [rank]

// The most actions the optimizer takes on: its methods look at each some hundred times.
inline constexpr int64_t kMostOptimizedActions = 1 << 21;

// Fails where sizes, costs or memory make no sense, or a limit holds not even one forward.
Status CheckProblem(const Problem& problem);

double DeltaOf(const MemoryDeltas& memory, ActionKind kind);

// Whether no prefix of the rank's order exceeds its limit, but for rounding.
bool FitsMemory(const Problem& problem, size_t rank, const Kinds& kinds);
bool FitsMemory(const Problem& problem, const KindOrder& order);

// limit[rank] with room for the rounding of sums.
double LimitOf(const Problem& problem, size_t rank);

// No order can have a smaller span. The largest over ranks of
//   work         m (F + I + W)
//   first trip   work + what the forwards that fit in memory leave of the wait for the first I
//   occupancy    m (forward * (F .. I, there and back) + (forward + input_grad) * W) / limit
double LowerBound(const Problem& problem);

// The lists with micro-batches counted up; `name` becomes the schedule's.
Schedule ToSchedule(const Problem& problem, const KindOrder& order, const std::string& name);

// Of a schedule with one stage a rank whose actions are F, I and W with micro-batches in turn.
KindOrder KindsOf(const Schedule& schedule);

}  // namespace pipescope::schedules
