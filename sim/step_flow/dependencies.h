// Who waits for whom in a task graph, in compressed rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/lowering/task_graph.h"

namespace pipescope {

class Dependencies {
 public:
  explicit Dependencies(const TaskGraph& graph);

  std::span<const int32_t> After(int32_t task) const { return Row(first_after_, after_, task); }
  std::span<const int32_t> Before(int32_t task) const { return Row(first_before_, before_, task); }

 private:
  static std::span<const int32_t> Row(const std::vector<int64_t>& first,
                                      const std::vector<int32_t>& list, int32_t task) {
    const auto at = static_cast<size_t>(task);
    const auto from = static_cast<size_t>(first[at]), to = static_cast<size_t>(first[at + 1]);
    return std::span(list).subspan(from, to - from);
  }

  std::vector<int64_t> first_after_, first_before_;  // [task] into the lists
  std::vector<int32_t> after_, before_;
};

}  // namespace pipescope
