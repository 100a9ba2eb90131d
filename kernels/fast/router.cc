#include "kernels/fast/router.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace pipescope::kernels::fast {
namespace {

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
  void Choose(std::span<const double> biased, std::span<int32_t> chosen) {
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
    std::ranges::transform(experts_.best(), chosen.begin(),
                           [](const auto& best) { return static_cast<int32_t>(best.index); });
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
  CheckRouter(config);  // before lists of its sizes are made
  Chooser chooser(config);
  return RouteBy([&](auto biased, auto chosen) { chooser.Choose(biased, chosen); }, logits, bias,
                 config);
}

}  // namespace pipescope::kernels::fast
