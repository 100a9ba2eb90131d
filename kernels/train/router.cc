#include "kernels/train/router.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/train/rows.h"
#include "kernels/train/sigmoid.h"

namespace pipescope::kernels {
namespace {

// Keeps the weights of all-zero scores at zero.
constexpr double kLeastSum = 1e-20;

// s of one token.
void SetScores(std::span<const float> logits, Scoring scoring, std::span<double> scores) {
  PIPESCOPE_CHECK(scores.size() == logits.size());
  if (scoring == Scoring::kSigmoid) {
    for (size_t e = 0; e < scores.size(); ++e) scores[e] = Sigmoid(logits[e]);
    return;
  }
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (size_t e = 0; e < scores.size(); ++e) sum += scores[e] = std::exp(logits[e] - largest);
  for (double& score : scores) score /= sum;
}

// The indices of the `count` largest values: larger first, then the smaller index.
std::vector<size_t> Largest(std::span<const double> values, int64_t count) {
  std::vector<double> keys(values.begin(), values.end());
  for (double& key : keys) {
    if (std::isnan(key)) key = -std::numeric_limits<double>::infinity();
  }
  std::vector<size_t> order(keys.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&keys](size_t a, size_t b) { return keys[a] > keys[b]; });
  order.resize(static_cast<size_t>(count));
  return order;
}

// For one token, from its scores with their bias.
std::vector<size_t> Choose(std::span<const double> biased, const RouterConfig& config) {
  const size_t size = biased.size() / static_cast<size_t>(config.groups);
  std::vector<double> groups;
  for (size_t first = 0; first < biased.size(); first += size) {
    const auto group = biased.subspan(first, size);
    double sum = 0;
    for (const size_t best : Largest(group, config.group_best)) sum += group[best];
    groups.push_back(sum);
  }
  std::vector<size_t> best_groups = Largest(groups, config.groups_selected);
  std::sort(best_groups.begin(), best_groups.end());  // ties go to the smaller expert
  std::vector<size_t> candidates;
  std::vector<double> values;
  for (const size_t group : best_groups) {
    for (size_t e = group * size; e < (group + 1) * size; ++e) {
      candidates.push_back(e);
      values.push_back(biased[e]);
    }
  }
  std::vector<size_t> chosen;
  for (const size_t at : Largest(values, config.selected)) chosen.push_back(candidates[at]);
  return chosen;
}

// What a chosen score is divided by.
double Divisor(std::span<const double> scores, std::span<const int32_t> chosen,
               const RouterConfig& config) {
  if (!config.normalised) return 1;
  double sum = kLeastSum;
  for (const int32_t e : chosen) sum += scores[static_cast<size_t>(e)];
  return sum;
}

}  // namespace

void CheckRouter(const RouterConfig& c) {
  PIPESCOPE_CHECK(c.groups > 0 && c.experts > 0 && c.experts % c.groups == 0);
  PIPESCOPE_CHECK(0 < c.groups_selected && c.groups_selected <= c.groups);
  PIPESCOPE_CHECK(0 < c.group_best && c.group_best <= c.experts / c.groups);
  PIPESCOPE_CHECK(0 < c.selected && c.selected <= c.experts / c.groups * c.groups_selected);
}

Routes RouteBy(const ChooseExperts& choose, std::span<const float> logits,
               std::span<const float> bias, const RouterConfig& config) {
  CheckRouter(config);
  const Rows rows(logits, config.experts);
  PIPESCOPE_CHECK(bias.empty() || bias.size() == rows.columns());
  const size_t selected = static_cast<size_t>(config.selected);
  Routes routes{std::vector<int32_t>(rows.count() * selected),
                std::vector<float>(rows.count() * selected)};
  std::vector<double> scores(rows.columns()), biased(rows.columns());
  for (size_t t = 0; t < rows.count(); ++t) {
    SetScores(rows[t], config.scoring, scores);
    biased = scores;
    for (size_t e = 0; e < bias.size(); ++e) biased[e] += bias[e];
    const auto chosen = std::span(routes.experts).subspan(t * selected, selected);
    choose(biased, chosen);
    const double divisor = Divisor(scores, chosen, config);
    for (size_t k = 0; k < selected; ++k) {
      const double weight = config.scale * scores[static_cast<size_t>(chosen[k])] / divisor;
      routes.weights[t * selected + k] = static_cast<float>(weight);
    }
  }
  return routes;
}

Routes Route(std::span<const float> logits, std::span<const float> bias,
             const RouterConfig& config) {
  const auto choose = [&](std::span<const double> biased, std::span<int32_t> chosen) {
    std::ranges::transform(Choose(biased, config), chosen.begin(),
                           [](size_t e) { return static_cast<int32_t>(e); });
  };
  return RouteBy(choose, logits, bias, config);
}

std::vector<float> RouteInputGradient(std::span<const float> logits,
                                      std::span<const int32_t> experts,
                                      std::span<const float> d_weights,
                                      const RouterConfig& config) {
  CheckRouter(config);
  const Rows rows(logits, config.experts), gradients(d_weights, config.selected);
  PIPESCOPE_CHECK(experts.size() == d_weights.size() && rows.count() == gradients.count());
  std::vector<float> d_logits(logits.size());
  std::vector<double> s(rows.columns()), ds(rows.columns());
  for (size_t t = 0; t < rows.count(); ++t) {
    SetScores(rows[t], config.scoring, s);
    const auto chosen = experts.subspan(t * gradients.columns(), gradients.columns());
    const double divisor = Divisor(s, chosen, config);
    double shared = 0;  // what a chosen score takes from all weights by way of the divisor
    for (size_t k = 0; k < chosen.size() && config.normalised; ++k) {
      shared += gradients[t][k] * s[static_cast<size_t>(chosen[k])] / divisor;
    }
    std::fill(ds.begin(), ds.end(), 0);
    for (size_t k = 0; k < chosen.size(); ++k) {
      ds[static_cast<size_t>(chosen[k])] = config.scale * (gradients[t][k] - shared) / divisor;
    }
    const double along = std::inner_product(s.begin(), s.end(), ds.begin(), 0.0);
    for (size_t e = 0; e < s.size(); ++e) {
      const double d =
          s[e] * (config.scoring == Scoring::kSigmoid ? ds[e] * (1 - s[e]) : ds[e] - along);
      d_logits[t * s.size() + e] = static_cast<float>(d);
    }
  }
  return d_logits;
}

}  // namespace pipescope::kernels
