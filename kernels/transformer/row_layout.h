// Which token's row goes to which group of experts: the layout of one dispatch (expert_rows.h).
//
//   rows of group g   its tokens in order, each once, however many of g's experts it chose
//
// Example: 4 experts in 2 groups, 2 a token; tokens that chose {0, 1}, {1, 2}, {3, 2}: group 0 gets
// rows 0 and 1, group 1 rows 1 and 2; of row 1 group 0 knows the choice {1, none}.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/transformer/expert_rows.h"

namespace pipescope::transformer {

class RowLayout {
 public:
  RowLayout(int64_t experts, int64_t selected, int groups)
      : of_group_(experts / groups), selected_(static_cast<size_t>(selected)), groups_(groups) {}

  int groups() const { return groups_; }
  // Of what was laid out last.
  size_t tokens() const { return tokens_; }
  size_t rows(size_t group) const { return sent_[group].size(); }

  // What each group learns of its rows: all but their values.
  std::vector<Arrived> LayOut(std::span<const int32_t> experts, std::span<const float> weights);

  // The group's rows of `x`, [tokens][columns], in BF16.
  std::vector<float> RowsOf(size_t group, std::span<const float> x) const;

  // Adds what came back from a group to the tokens' sums, a row to each.
  void AddTo(std::vector<float>& sums, size_t group, std::span<const float> rows) const;

 private:
  bool Choose(size_t token, int group, std::span<const int32_t> experts,
              std::span<const float> weights, Arrived& to) const;

  int64_t of_group_;
  size_t selected_;
  int groups_;
  size_t tokens_ = 0;
  std::vector<std::vector<size_t>> sent_;  // [group] tokens
};

}  // namespace pipescope::transformer
