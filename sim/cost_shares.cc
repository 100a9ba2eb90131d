#include "sim/cost_shares.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <map>

#include "sim/engine/engine.h"

namespace pipescope {
namespace {

struct Guess {
  costs::Origin origin = costs::Origin::kAnalytic;
  double seconds = 0;
};

}  // namespace

CostShares CostSharesOf(const TaskGraph& graph) {
  std::vector<std::vector<int64_t>> runs(static_cast<size_t>(graph.ranks),
                                         std::vector<int64_t>(graph.templates.size()));
  for (const Task& task : graph.tasks) {
    ++runs[static_cast<size_t>(task.rank)][static_cast<size_t>(task.templ)];
  }
  CostShares shares;
  std::map<std::string, Guess> guesses;
  std::array<double, costs::kOrigins> by_origin = {};
  double all = 0;
  for (const auto& run : runs) {
    for (size_t t = 0; t < run.size(); ++t) {
      const double times = static_cast<double>(run[t]);
      for (const costs::PricePart& part : graph.templates[t].parts) {
        const double seconds = times * part.time.seconds();
        all += seconds;
        by_origin[static_cast<size_t>(part.origin)] += seconds;
        if (part.origin == costs::Origin::kMeasured || seconds == 0) continue;
        Guess& guess = guesses[part.what];
        guess.origin = part.origin;
        guess.seconds += seconds;
      }
    }
  }
  if (all == 0) return shares;
  for (size_t i = 0; i < by_origin.size(); ++i) shares.by_origin[i] = by_origin[i] / all;
  for (const auto& [what, guess] : guesses) {
    shares.guessed.push_back({what, guess.origin, guess.seconds / all});
  }
  std::stable_sort(shares.guessed.begin(), shares.guessed.end(),
                   [](const GuessedCost& a, const GuessedCost& b) { return a.share > b.share; });
  return shares;
}

namespace {

Duration EndOf(const TaskGraph& graph, const std::vector<TaskTemplate>& templates) {
  const TaskTimes times = RunFluid(graph, templates);
  return *std::max_element(times.end.begin(), times.end.end());
}

// Makes every task longer by the spread of its parts of one subject; whether there are any.
bool Lengthen(std::vector<TaskTemplate>& templates, costs::Subject subject) {
  bool any = false;
  for (TaskTemplate& templ : templates) {
    Duration longer;
    for (const costs::PricePart& part : templ.parts) {
      if (part.subject == subject) longer += part.spread;
    }
    const Duration before = templ.demand.time;
    if (longer == Duration() || before == Duration()) continue;
    any = true;
    templ.demand.time += longer;
    for (double& rate : templ.rates) rate *= before / templ.demand.time;
  }
  return any;
}

}  // namespace

Duration SpreadOfStep(const TaskGraph& graph) {
  if (graph.tasks.empty()) return Duration();
  // Runs of their own, side by side; added up in the order of subjects, so that the sum is the
  // same each time.
  std::vector<std::future<Duration>> ends;
  for (int i = 0; i < costs::kSubjects; ++i) {
    std::vector<TaskTemplate> longer = graph.templates;
    if (!Lengthen(longer, static_cast<costs::Subject>(i))) continue;
    ends.push_back(std::async(
        std::launch::async, [&graph, longer = std::move(longer)] { return EndOf(graph, longer); }));
  }
  const Duration end = EndOf(graph, graph.templates);
  double squares = 0;
  for (std::future<Duration>& longer : ends) squares += std::pow((longer.get() - end).seconds(), 2);
  return Seconds(std::sqrt(squares));
}

}  // namespace pipescope
