#include "schedules/families/automatic.h"

#include <algorithm>
#include <utility>

#include "schedules/optimize/placed_heuristic.h"
#include "schedules/optimize/search.h"

namespace pipescope::schedules {
namespace {

constexpr int64_t kPolishedOrders = 2'000;
constexpr int64_t kPolishedActions = 25'000'000;  // orders times actions: a quarter of a second

// Of a short order there is less to find.

int64_t PolishBudget(const PlacedProblem& problem) {
  const int64_t actions = int64_t{3} * problem.ranks * problem.microbatches * problem.slots();
  return std::min({kPolishedOrders, actions, kPolishedActions / actions});
}

}  // namespace

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
  Placed best = PlacedHeuristic(problem, orders);
  best = Search(problem, std::move(best), LowerBound(problem), PolishBudget(problem));
  return ToSchedule(problem, best.order, name);
}

}  // namespace pipescope::schedules
