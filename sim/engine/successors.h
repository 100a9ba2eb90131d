// What waits for each task of a graph, in one array.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/lowering/task_graph.h"

namespace pipescope {

class Successors {
 public:
  explicit Successors(const TaskGraph& graph) : begin_(graph.tasks.size() + 1, 0) {
    for (const auto& [before, after] : graph.edges) ++begin_[static_cast<size_t>(before) + 1];
    for (size_t i = 1; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
    to_.resize(graph.edges.size());
    std::vector<int32_t> next(begin_.begin(), begin_.end() - 1);
    for (const auto& [before, after] : graph.edges) {
      to_[static_cast<size_t>(next[static_cast<size_t>(before)]++)] = after;
    }
  }

  // In the order of the graph's edges.
  std::span<const int32_t> Of(int32_t task) const {
    const auto t = static_cast<size_t>(task);
    return std::span(to_).subspan(static_cast<size_t>(begin_[t]),
                                  static_cast<size_t>(begin_[t + 1] - begin_[t]));
  }

 private:
  std::vector<int32_t> begin_, to_;
};

}  // namespace pipescope
