#include "kernels/train/router.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/train/rows.h"
#include "kernels/train/sigmoid.h"

namespace pipescope::kernels {
namespace {

std::vector<double> Scores(std::span<const float> logits, Scoring scoring) {
  std::vector<double> scores;
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double logit : logits) {
    scores.push_back(scoring == Scoring::kSigmoid ? Sigmoid(logit) : std::exp(logit - largest));
    sum += scores.back();
  }
  if (scoring == Scoring::kSoftmax) {
    for (double& score : scores) score /= sum;
  }
  return scores;
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
  double sum = kLeastRouteSum;
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

Routes Route(std::span<const float> logits, std::span<const float> bias,
             const RouterConfig& config) {
  CheckRouter(config);
  const Rows rows(logits, config.experts);
  PIPESCOPE_CHECK(bias.empty() || bias.size() == rows.columns());
  Routes routes;
  for (size_t t = 0; t < rows.count(); ++t) {
    const std::vector<double> scores = Scores(rows[t], config.scoring);
    std::vector<double> biased = scores;
    for (size_t e = 0; e < bias.size(); ++e) biased[e] += bias[e];
    const size_t first = routes.experts.size();
    for (const size_t e : Choose(biased, config)) routes.experts.push_back(static_cast<int32_t>(e));
    const auto chosen = std::span(routes.experts).subspan(first);
    const double divisor = Divisor(scores, chosen, config);
    for (const int32_t e : chosen) {
      const double weight = config.scale * scores[static_cast<size_t>(e)] / divisor;
      routes.weights.push_back(static_cast<float>(weight));
    }
  }
  return routes;
}

std::vector<float> RouteInputGradient(std::span<const float> logits,
                                      std::span<const int32_t> experts,
                                      std::span<const float> d_weights,
                                      const RouterConfig& config) {
  CheckRouter(config);
  const Rows rows(logits, config.experts), gradients(d_weights, config.selected);
  PIPESCOPE_CHECK(experts.size() == d_weights.size() && rows.count() == gradients.count());
  std::vector<double> d_logits;
  for (size_t t = 0; t < rows.count(); ++t) {
    const std::vector<double> s = Scores(rows[t], config.scoring);
    const auto chosen = experts.subspan(t * gradients.columns(), gradients.columns());
    const double divisor = Divisor(s, chosen, config);
    double shared = 0;  // what a chosen score takes from all weights by way of the divisor
    for (size_t k = 0; k < chosen.size() && config.normalised; ++k) {
      shared += gradients[t][k] * s[static_cast<size_t>(chosen[k])] / divisor;
    }
    std::vector<double> ds(s.size());
    for (size_t k = 0; k < chosen.size(); ++k) {
      ds[static_cast<size_t>(chosen[k])] = config.scale * (gradients[t][k] - shared) / divisor;
    }
    const double along = std::inner_product(s.begin(), s.end(), ds.begin(), 0.0);
    for (size_t e = 0; e < s.size(); ++e) {
      d_logits.push_back(
          s[e] * (config.scoring == Scoring::kSigmoid ? ds[e] * (1 - s[e]) : ds[e] - along));
    }
  }
  return Narrow(d_logits);
}

}  // namespace pipescope::kernels
