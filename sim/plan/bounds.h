// What a step takes at least, known without simulating it.
//
// Time. A rank runs its actions one after the other: the first operations of an action wait for the
// last ones of the action before. An operation takes its template's time or, where it shares HBM,
// NVLink or a NIC, longer. So an action takes no less than the longest path through its template,
// a rank's work no less than the sum of these paths over its actions, and the step no less than
//   max over ranks of  head + max(work, work before its last backward action + tail)
// head: the paths of the forward actions of all stages before the rank's first one, which its first
// micro-batch has to pass; tail: the paths of that last backward action and of those of all stages
// before its own, which the gradient still has to pass. In schedules with
// overlapped pairs a micro-batch may pass stages inside of pairs: head and tail count as 0.
// Hops, contention, bubbles in between and the step's end are left out: the bound stays below.
// Example: 1F1B on p equal stages, m micro-batches: rank r has a head of r F, m (F + B) - B before
// its last backward action, and a tail of (r + 1) B with its own: (m + r) (F + B). The greatest is
// the last rank's, (m + p - 1) (F + B), which is the schedule's closed form.
//
// Memory. A rank's activations come and go with its actions, which run one after the other: the
// peak depends on their order alone. What is found is the simulation's own peak, but for actions
// that take no time at all, of which there is one: I of a stage that is only the embedding.
// Parameters and gradients: the fullest rank holds no less than the mean.
#pragma once

#include "schedules/schedule.h"
#include "sim/costs/routing.h"
#include "sim/experiment/experiment.h"
#include "sim/model/layout.h"

namespace pipescope::plan {

// Of a step at fidelity `op`.
Duration LeastTime(const Experiment& experiment, const schedules::Schedule& schedule,
                   const model::Layout& layout, const costs::Spread& spread);

// Of the fullest rank.
Bytes PeakMemory(const Experiment& experiment, const schedules::Schedule& schedule,
                 const model::Layout& layout);

// Parameters, gradients and what is reserved, whatever the schedule and its stages.
Bytes LeastMemory(const Experiment& experiment, const model::Layout& layout);

}  // namespace pipescope::plan
