// What the automatic families share: from options to a problem, and back to a schedule.
#pragma once

#include <string>
#include <vector>

#include "schedules/family.h"
#include "schedules/optimize/placed_problem.h"

namespace pipescope::schedules {

// The profile of the options (unit costs where none), with `limit` where it has no limit.
Result<PlacedProblem> ProblemOf(const Options& options, Placement placement, double limit);

// The best order of PlacedHeuristic, among them those of `known` that this size allows, after a
// short local search from there.
Schedule MakeAutomatic(const std::string& name, const PlacedProblem& problem,
                       const std::vector<Family>& known);

}  // namespace pipescope::schedules
