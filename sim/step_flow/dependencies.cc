#include "sim/step_flow/dependencies.h"

namespace pipescope {

Dependencies::Dependencies(const TaskGraph& graph)
    : first_after_(graph.tasks.size() + 1, 0),
      first_before_(graph.tasks.size() + 1, 0),
      after_(graph.edges.size()),
      before_(graph.edges.size()) {
  for (const auto& [before, after] : graph.edges) {
    ++first_after_[static_cast<size_t>(before) + 1];
    ++first_before_[static_cast<size_t>(after) + 1];
  }
  for (size_t t = 0; t < graph.tasks.size(); ++t) {
    first_after_[t + 1] += first_after_[t];
    first_before_[t + 1] += first_before_[t];
  }
  std::vector<int64_t> a = first_after_, b = first_before_;
  for (const auto& [before, after] : graph.edges) {
    after_[static_cast<size_t>(a[static_cast<size_t>(before)]++)] = after;
    before_[static_cast<size_t>(b[static_cast<size_t>(after)]++)] = before;
  }
}

}  // namespace pipescope
