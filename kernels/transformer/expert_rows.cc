#include "kernels/transformer/expert_rows.h"

#include <algorithm>

#include "kernels/transformer/tape.h"

namespace pipescope::transformer {
namespace {

class LocalRows : public ExpertRows {
 public:
  LocalRows(int64_t experts, int64_t selected, int groups)
      : of_group_(experts / groups), selected_(static_cast<size_t>(selected)), groups_(groups) {}

  std::vector<Arrived> Dispatch(std::span<const float> x, std::span<const int32_t> experts,
                                std::span<const float> weights) override {
    tokens_ = experts.size() / selected_;
    columns_ = x.size() / tokens_;
    std::vector<Arrived> arrived;
    for (int group = 0; group < groups_; ++group) {
      Arrived& to = arrived.emplace_back();
      to.group = group;
      auto& sent = sent_.emplace_back();
      for (size_t token = 0; token < tokens_; ++token) {
        if (Send(token, group, experts, weights, to)) sent.push_back(token);
      }
    }
    const RowLists rows = Rows(x);
    for (size_t i = 0; i < rows.size(); ++i) arrived[i].rows = rows[i];
    return arrived;
  }

  RowLists DispatchAgain(std::span<const float> dy) override { return Rows(dy); }

  Combined Combine(const RowLists& rows, const RowLists& weights) override {
    Combined sums{std::vector<float>(tokens_ * columns_), {}};
    if (!weights.empty()) sums.weights.resize(tokens_ * selected_);
    for (size_t group = 0; group < rows.size(); ++group) {
      auto values = rows[group];
      RoundToBf16(values);
      Add(sent_[group], values, columns_, sums.values);
      if (!weights.empty()) Add(sent_[group], weights[group], selected_, sums.weights);
    }
    RoundToBf16(sums.values);
    return sums;
  }

 private:
  // The token's choice among the group's experts; whether there is any.
  bool Send(size_t token, int group, std::span<const int32_t> experts,
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

  RowLists Rows(std::span<const float> x) const {
    RowLists lists;
    for (const auto& sent : sent_) {
      auto& rows = lists.emplace_back();
      for (const size_t token : sent) {
        const auto row = x.subspan(token * columns_, columns_);
        rows.insert(rows.end(), row.begin(), row.end());
      }
      RoundToBf16(rows);
    }
    return lists;
  }

  static void Add(const std::vector<size_t>& tokens, const std::vector<float>& rows, size_t columns,
                  std::vector<float>& sums) {
    for (size_t r = 0; r < tokens.size(); ++r) {
      for (size_t c = 0; c < columns; ++c) sums[tokens[r] * columns + c] += rows[r * columns + c];
    }
  }

  const int64_t of_group_;
  const size_t selected_;
  const int groups_;
  size_t tokens_ = 0, columns_ = 0;
  std::vector<std::vector<size_t>> sent_;  // [group] tokens
};

}  // namespace

std::unique_ptr<ExpertRows> OnOneRank::Open() {
  return std::make_unique<LocalRows>(experts_, selected_, groups_);
}

}  // namespace pipescope::transformer
