#include "schedules/families/automatic.h"

#include "schedules/optimize/placed_heuristic.h"

namespace pipescope::schedules {

Result<PlacedProblem> ProblemOf(const Options& options, Placement placement, double limit) {
  Profile profile = options.profile.value_or(Profile());
  if (profile.limit.empty()) profile.limit = {limit * profile.memory.front().forward};
  return MakePlaced(profile, options.ranks, options.microbatches, placement, false);
}

Schedule MakeAutomatic(const std::string& name, const PlacedProblem& problem,
                       const std::vector<Family>& known) {
  std::vector<Schedule> orders;
  for (const Family& family : known) {
    Options options{problem.ranks, problem.microbatches, family.chunks};
    auto made = family.generate(options);
    if (made) orders.push_back(std::move(*made));
  }
  return ToSchedule(problem, PlacedHeuristic(problem, orders).order, name);
}

}  // namespace pipescope::schedules
