// What travels between tokens and experts, and who carries it.
//
// The experts are cut into groups of equal size. A token's row goes once to each group that has any
// of its experts, and one row comes back from each: the weighted sum over the group's experts.
//
//   dispatch   rows in BF16, with the choice and weights of the group's experts
//   combine    y = BF16(sum over groups, in order, in FP32, of BF16(the group's row))
//
// That is the arithmetic of the model, wherever the groups are, to the bit: with all of them on one
// rank (OnOneRank), or each on a rank of its own, behind the real exchange where ranks are threads
// (exchange_rows.h), behind letters where they are processes (letter_rows.h).
// The gradient of combine is a dispatch with the same plan, that of dispatch a combine.
//
// Against a model without groups, rows differ by the rounding: at most 2^-9 of each value a row.
// Source of what travels in which format: arXiv 2412.19437, section 3.3.3 (combine in BF16).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace pipescope::transformer {

// Rows that have come to a group from one rank, in the order of its tokens.
struct Arrived {
  int group = 0;
  std::vector<float> rows;       // [rows][hidden]
  std::vector<int32_t> experts;  // [rows][selected], within the group; -1 for another's
  std::vector<float> weights;    // [rows][selected], 0 for another's
};

using RowLists = std::vector<std::vector<float>>;  // one for each Arrived of the dispatch

struct Combined {
  std::vector<float> values;   // [tokens][hidden]
  std::vector<float> weights;  // [tokens][selected], where weights were given
};

// Of one layer and micro-batch. A failure throws std::runtime_error, which the executor turns into
// the run's error: it would have to pass through the functions of a tape otherwise.
class ExpertRows {
 public:
  virtual ~ExpertRows() = default;
  virtual std::vector<Arrived> Dispatch(std::span<const float> x, std::span<const int32_t> experts,
                                        std::span<const float> weights) = 0;
  virtual RowLists DispatchAgain(std::span<const float> dy) = 0;
  virtual Combined Combine(const RowLists& rows, const RowLists& weights) = 0;
};

class ExpertCarrier {
 public:
  virtual ~ExpertCarrier() = default;
  virtual std::unique_ptr<ExpertRows> Open() = 0;
  virtual void Cancel() {}  // whoever waits for others fails; from any thread
};

// Experts of all groups here.
class OnOneRank : public ExpertCarrier {
 public:
  OnOneRank(int64_t experts, int64_t selected, int groups)
      : experts_(experts), selected_(selected), groups_(groups) {}
  std::unique_ptr<ExpertRows> Open() override;

 private:
  int64_t experts_, selected_;
  int groups_;
};

}  // namespace pipescope::transformer
