#include "kernels/transformer/expert_rows.h"

#include "kernels/transformer/row_layout.h"
#include "kernels/transformer/tape.h"

namespace pipescope::transformer {
namespace {

class LocalRows : public ExpertRows {
 public:
  LocalRows(int64_t experts, int64_t selected, int groups)
      : layout_(experts, selected, groups), selected_(static_cast<size_t>(selected)) {}

  std::vector<Arrived> Dispatch(std::span<const float> x, std::span<const int32_t> experts,
                                std::span<const float> weights) override {
    auto arrived = layout_.LayOut(experts, weights);
    columns_ = x.size() / layout_.tokens();
    for (size_t group = 0; group < arrived.size(); ++group) {
      arrived[group].rows = layout_.RowsOf(group, x);
    }
    return arrived;
  }

  RowLists DispatchAgain(std::span<const float> dy) override {
    RowLists lists;
    for (size_t group = 0; group < static_cast<size_t>(layout_.groups()); ++group) {
      lists.push_back(layout_.RowsOf(group, dy));
    }
    return lists;
  }

  Combined Combine(const RowLists& rows, const RowLists& weights) override {
    Combined sums{std::vector<float>(layout_.tokens() * columns_), {}};
    if (!weights.empty()) sums.weights.resize(layout_.tokens() * selected_);
    for (size_t group = 0; group < rows.size(); ++group) {
      auto values = rows[group];
      RoundToBf16(values);
      layout_.AddTo(sums.values, group, values);
      if (!weights.empty()) layout_.AddTo(sums.weights, group, weights[group]);
    }
    RoundToBf16(sums.values);
    return sums;
  }

 private:
  RowLayout layout_;
  const size_t selected_;
  size_t columns_ = 0;
};

}  // namespace

std::unique_ptr<ExpertRows> OnOneRank::Open() {
  return std::make_unique<LocalRows>(experts_, selected_, groups_);
}

}  // namespace pipescope::transformer
