#include "kernels/fast/router.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/train/rows.h"
#include "kernels/train/sigmoid.h"

namespace pipescope::kernels::fast {
namespace {

void SetScores(std::span<const float> logits, Scoring scoring, std::vector<double>& scores) {
  if (scoring == Scoring::kSigmoid) {
    for (size_t e = 0; e < logits.size(); ++e) scores[e] = Sigmoid(logits[e]);
    return;
  }
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (size_t e = 0; e < logits.size(); ++e) sum += scores[e] = std::exp(logits[e] - largest);
  for (double& score : scores) score /= sum;
}

double Divisor(std::span<const double> scores, std::span<const int32_t> chosen,
               const RouterConfig& config) {
  if (!config.normalised) return 1;
  double sum = kLeastRouteSum;
  for (const int32_t e : chosen) sum += scores[static_cast<size_t>(e)];
  return sum;
}

// The largest `count` of the values shown to it, by their indices: larger first, then the one that
// was shown first.
class Largest {
 public:
  explicit Largest(int64_t count) : best_(static_cast<size_t>(count)) {}

  void Clear() { size_ = 0; }
  void Show(size_t index, double value) {
    const double key = std::isnan(value) ? -std::numeric_limits<double>::infinity() : value;
    if (size_ == best_.size()) {
      if (!(key > best_.back().key)) return;
    } else {
      ++size_;
    }
    size_t at = size_ - 1;
    for (; at > 0 && best_[at - 1].key < key; --at) best_[at] = best_[at - 1];
    best_[at] = {key, value, index};
  }

  struct One {
    double key = 0, value = 0;
    size_t index = 0;
  };
  std::span<One> best() { return std::span(best_).first(size_); }

 private:
  std::vector<One> best_;
  size_t size_ = 0;
};

// Goes from token to token.
class Chooser {
 public:
  explicit Chooser(const RouterConfig& config)
      : size_(static_cast<size_t>(config.experts / config.groups)),
        of_group_(config.group_best),
        groups_(config.groups_selected),
        experts_(config.selected) {}

  // From the scores with their bias; best first.
  std::span<const Largest::One> Choose(std::span<const double> biased) {
    groups_.Clear();
    for (size_t group = 0; group * size_ < biased.size(); ++group) {
      of_group_.Clear();
      ShowGroup(biased, group, of_group_);
      double sum = 0;
      for (const auto& best : of_group_.best()) sum += best.value;
      groups_.Show(group, sum);
    }
    const auto allowed = groups_.best();
    std::sort(allowed.begin(), allowed.end(),  // ties go to the smaller expert
              [](const auto& a, const auto& b) { return a.index < b.index; });
    experts_.Clear();
    for (const auto& group : allowed) ShowGroup(biased, group.index, experts_);
    return experts_.best();
  }

 private:
  void ShowGroup(std::span<const double> biased, size_t group, Largest& to) const {
    for (size_t e = group * size_; e < (group + 1) * size_; ++e) to.Show(e, biased[e]);
  }

  size_t size_;  // experts of a group
  Largest of_group_, groups_, experts_;
};

}  // namespace

Routes Route(std::span<const float> logits, std::span<const float> bias,
             const RouterConfig& config) {
  CheckRouter(config);
  const Rows rows(logits, config.experts);
  PIPESCOPE_CHECK(bias.empty() || bias.size() == rows.columns());
  const size_t selected = static_cast<size_t>(config.selected);
  Routes routes{std::vector<int32_t>(rows.count() * selected),
                std::vector<float>(rows.count() * selected)};
  std::vector<double> scores(rows.columns()), biased(rows.columns());
  Chooser chooser(config);
  for (size_t t = 0; t < rows.count(); ++t) {
    SetScores(rows[t], config.scoring, scores);
    biased = scores;
    for (size_t e = 0; e < bias.size(); ++e) biased[e] += bias[e];
    const auto chosen = std::span(routes.experts).subspan(t * selected, selected);
    size_t k = 0;
    for (const auto& best : chooser.Choose(biased)) chosen[k++] = static_cast<int32_t>(best.index);
    const double divisor = Divisor(scores, chosen, config);
    for (k = 0; k < selected; ++k) {
      const double weight = config.scale * scores[static_cast<size_t>(chosen[k])] / divisor;
      routes.weights[t * selected + k] = static_cast<float>(weight);
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
  std::vector<float> d_logits(logits.size());
  std::vector<double> s(rows.columns()), ds(rows.columns());
  for (size_t t = 0; t < rows.count(); ++t) {
    SetScores(rows[t], config.scoring, s);
    const auto chosen = experts.subspan(t * gradients.columns(), gradients.columns());
    const double divisor = Divisor(s, chosen, config);
    double shared = 0;
    for (size_t k = 0; k < chosen.size() && config.normalised; ++k) {
      shared += gradients[t][k] * s[static_cast<size_t>(chosen[k])] / divisor;
    }
    std::fill(ds.begin(), ds.end(), 0);
    for (size_t k = 0; k < chosen.size(); ++k) {
      ds[static_cast<size_t>(chosen[k])] = config.scale * (gradients[t][k] - shared) / divisor;
    }
    const double along = std::inner_product(s.begin(), s.end(), ds.begin(), 0.0);
    float* const to = d_logits.data() + t * s.size();
    for (size_t e = 0; e < s.size(); ++e) {
      const double d =
          s[e] * (config.scoring == Scoring::kSigmoid ? ds[e] * (1 - s[e]) : ds[e] - along);
      to[e] = static_cast<float>(d);
    }
  }
  return d_logits;
}

}  // namespace pipescope::kernels::fast
