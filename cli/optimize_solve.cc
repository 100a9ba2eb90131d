#include "cli/optimize_solve.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "schedules/evaluate.h"
#include "schedules/optimize/exact.h"
#include "schedules/optimize/placed_heuristic.h"
#include "schedules/optimize/placed_time.h"
#include "schedules/optimize/search.h"
#include "schedules/optimize/stretch.h"
#include "schedules/registry.h"

namespace pipescope::cli {
namespace {

using schedules::Goal;
using schedules::Placed;
using schedules::PlacedProblem;
using schedules::Placement;
using schedules::Schedule;

// Hand-made orders of the same placement, where this size allows them; the last is the reference.
std::vector<Schedule> Known(const PlacedProblem& problem) {
  std::vector<std::string> names = {"1f1b", "zb-h1"};
  if (problem.placement == Placement::kV) names = {"v-half", "v-min", "1f1b-v", "zbv"};
  if (problem.placement == Placement::kBidirectional) names = {};
  if (problem.pairs) {
    names.emplace_back(problem.placement == Placement::kV ? "dualpipev" : "dualpipe");
  }
  std::vector<Schedule> known;
  for (const std::string& name : names) {
    auto made = schedules::Generate(name, {problem.ranks, problem.microbatches});
    if (made) known.push_back(std::move(*made));
  }
  return known;
}

Result<Compared> Measure(const Schedule& schedule, const PlacedProblem& problem) {
  auto prepared = schedules::Prepare(schedule);
  if (!prepared) return Fail(prepared.error());
  const schedules::Timing timing = Evaluate(*prepared, problem.costs);
  Compared one{schedule.name, timing.span, timing.makespan};
  for (const double bubble : timing.bubble) one.bubble += bubble / schedule.ranks;
  for (int r = 0; r < schedule.ranks; ++r) {
    const auto at = static_cast<size_t>(r);
    const double peak = PeakMemory(problem, r, StepsOf(problem, r, schedule.actions[at]));
    one.peak = std::max(one.peak, peak);
    one.over = one.over || peak > problem.limit[at] * (1 + 1e-9);
  }
  return one;
}

// Fails where the problem is not one for exact.h.
Status Prove(const PlacedProblem& problem, double seconds, Outcome& outcome) {
  const auto linear = schedules::LinearOf(problem);
  if (!linear || problem.goal != Goal::kSpan) {
    return Fail(
        "--method exact: is for the span of linear placements, split backwards and I's that "
        "free memory; expected search or heuristic");
  }
  auto exact = SolveExactly(*linear, schedules::LinearOf(*linear, outcome.best), seconds);
  if (!exact) return Fail(exact.error());
  const int64_t orders = exact->best.orders;
  outcome.best = {schedules::StepsOf(exact->best.order), exact->best.span, exact->best.from,
                  orders};
  outcome.lower_bound = std::max(outcome.lower_bound, exact->lower_bound);
  outcome.proven = exact->proven;
  return {};
}

// Searches a brief version of the problem, where filling and draining are most of the order, and
// stretches what it finds; nothing where the problem is brief itself.
std::optional<Placed> SearchBrief(const PlacedProblem& problem) {
  PlacedProblem brief = problem;
  brief.microbatches = 2 * problem.ranks + 8;
  if (brief.microbatches >= problem.microbatches) return {};
  Placed found = PlacedHeuristic(brief, Known(brief));
  found = Search(brief, std::move(found), LowerBound(brief), schedules::SearchBudget(brief));
  auto order = Stretch(problem, brief.microbatches, found.order);
  if (!order) return {};
  found.value = schedules::PlacedTime(problem)(*order);
  found.order = std::move(*order);
  found.from += fmt::format(" on {} micro-batches, stretched", brief.microbatches);
  return found;
}

Placed SearchAll(const PlacedProblem& problem, Placed start, double bound) {
  if (start.value <= bound * (1 + 1e-9)) return start;
  const int64_t orders = schedules::SearchBudget(problem);
  Placed direct = Search(problem, std::move(start), bound, orders);
  auto brief = SearchBrief(problem);
  if (!brief) return direct;
  brief->orders += direct.orders;
  if (std::isfinite(brief->value)) *brief = Search(problem, std::move(*brief), bound, orders);
  direct.orders = brief->orders;
  return brief->value < direct.value ? *brief : direct;
}

}  // namespace

Result<Outcome> Solve(const PlacedProblem& problem, const OptimizeOptions& options) {
  Outcome outcome;
  const std::vector<Schedule> known = Known(problem);
  outcome.best = PlacedHeuristic(problem, known);
  outcome.lower_bound = LowerBound(problem);
  if (const auto linear = schedules::LinearOf(problem)) {
    outcome.lower_bound = std::max(outcome.lower_bound, LowerBound(*linear));
  }
  if (options.method != "heuristic") {
    outcome.best = SearchAll(problem, std::move(outcome.best), outcome.lower_bound);
  }
  if (options.method == "exact") {
    if (auto ok = Prove(problem, options.seconds, outcome); !ok) return Fail(ok.error());
  }
  outcome.proven = outcome.proven || outcome.best.value <= outcome.lower_bound * (1 + 1e-9);
  outcome.schedule = ToSchedule(problem, outcome.best.order, "optimized");
  auto own = Measure(outcome.schedule, problem);
  if (!own) return Fail(own.error());
  outcome.compared.push_back(*own);
  for (const Schedule& schedule : known) {
    auto measured = Measure(schedule, problem);
    if (!measured) return Fail(measured.error());
    outcome.compared.push_back(*measured);
  }
  return outcome;
}

}  // namespace pipescope::cli
