#include "kernels/transformer/row_layout.h"

#include <algorithm>

#include "kernels/transformer/tape.h"

namespace pipescope::transformer {

std::vector<Arrived> RowLayout::LayOut(std::span<const int32_t> experts,
                                       std::span<const float> weights) {
  tokens_ = experts.size() / selected_;
  sent_.assign(static_cast<size_t>(groups_), {});
  std::vector<Arrived> arrived;
  for (int group = 0; group < groups_; ++group) {
    Arrived& to = arrived.emplace_back();
    to.group = group;
    for (size_t token = 0; token < tokens_; ++token) {
      if (!Choose(token, group, experts, weights, to)) continue;
      sent_[static_cast<size_t>(group)].push_back(token);
    }
  }
  return arrived;
}

// The token's choice among the group's experts; whether there is any.
bool RowLayout::Choose(size_t token, int group, std::span<const int32_t> experts,
                       std::span<const float> weights, Arrived& to) const {
  const auto of_token = experts.subspan(token * selected_, selected_);
  const auto is_here = [&](int32_t expert) { return expert >= 0 && expert / of_group_ == group; };
  if (std::none_of(of_token.begin(), of_token.end(), is_here)) return false;
  for (size_t k = 0; k < selected_; ++k) {
    const bool here = is_here(of_token[k]);
    to.experts.push_back(here ? static_cast<int32_t>(of_token[k] % of_group_) : -1);
    to.weights.push_back(here ? weights[token * selected_ + k] : 0);
  }
  return true;
}

std::vector<float> RowLayout::RowsOf(size_t group, std::span<const float> x) const {
  const size_t columns = x.size() / tokens_;
  std::vector<float> rows;
  rows.reserve(sent_[group].size() * columns);
  for (const size_t token : sent_[group]) {
    const auto row = x.subspan(token * columns, columns);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  RoundToBf16(rows);
  return rows;
}

void RowLayout::AddTo(std::vector<float>& sums, size_t group, std::span<const float> rows) const {
  const size_t columns = sums.size() / tokens_;
  for (size_t r = 0; r < sent_[group].size(); ++r) {
    float* const sum = sums.data() + sent_[group][r] * columns;
    for (size_t c = 0; c < columns; ++c) sum[c] += rows[r * columns + c];
  }
}

}  // namespace pipescope::transformer
