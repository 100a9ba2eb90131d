#include "sim/cost_shares.h"

#include <algorithm>
#include <map>

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
  double busiest = 0, all = 0;
  for (const auto& run : runs) {
    double busy = 0, spread = 0;
    for (size_t t = 0; t < run.size(); ++t) {
      const double times = static_cast<double>(run[t]);
      for (const costs::PricePart& part : graph.templates[t].parts) {
        const double seconds = times * part.time.seconds();
        busy += seconds;
        spread += times * part.spread.seconds();
        by_origin[static_cast<size_t>(part.origin)] += seconds;
        if (part.origin == costs::Origin::kMeasured || seconds == 0) continue;
        Guess& guess = guesses[part.what];
        guess.origin = part.origin;
        guess.seconds += seconds;
      }
    }
    all += busy;
    if (busy <= busiest) continue;
    busiest = busy;
    shares.spread = Seconds(spread);
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

}  // namespace pipescope
