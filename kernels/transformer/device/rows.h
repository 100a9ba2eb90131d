// Rows to the experts of other ranks and back (expert_rows.h).
//
//   dispatch   each rank leaves its rows; whoever has experts of a row gathers it from there
//   combine    each rank leaves its results; whoever sent rows copies what came of them, and adds
//              it up: y = BF16(sum over groups, in order, in FP32)
//
// Both run on the communication queue of the rank that takes, on its share of the SMs. Where each
// can read the memory of the others, one GPU that is divided among them or GPUs with peer access,
// that is a pull through memory, not kernels/exchange's protocol of channels and credits: one GPU
// has no network between its ranks. Bytes read and written, of a rank: 2 x 2 x hidden for each row
// that comes to it, and as many for each that comes back. Where ranks are processes, the one that
// sends gathers rows into a block for each group of experts, and these are sent (rows_apart.h).
#pragma once

#include <memory>
#include <vector>

#include "kernels/transformer/config.h"
#include "kernels/transformer/device/gather.h"
#include "kernels/transformer/device/operations.h"

namespace pipescope::transformer::device {

// What one rank leaves for the others of its group.
struct LeftRows {
  // Of a dispatch one, or where memory is not shared one for each group; of a combine one for each
  // Arrived.
  std::vector<Block> rows, weights;
  std::vector<int32_t> experts;  // [tokens][selected] of a dispatch
  EventPtr ready;
  // Where memory is not shared: the place that each block is for, and its rows.
  std::vector<int> to = {};
  std::vector<int64_t> counts = {};
};

// Where the ranks of a group leave rows.
class RowMeeting {
 public:
  virtual ~RowMeeting() = default;
  // Whether each can read what others have left.
  virtual bool shares_memory() const = 0;
  // What all have left for the exchange of that number, by place. Waits for their hosts. All ranks
  // have the same exchanges in the same order.
  virtual Result<std::vector<LeftRows>> Meet(int64_t exchange, int place, int places,
                                             LeftRows left) = 0;
  // Waits for what is still on its way; what went wrong there.
  virtual Status Finish() = 0;
  virtual void Cancel() = 0;
};

// Of one process.
class RowsTogether : public RowMeeting {
 public:
  bool shares_memory() const override { return true; }
  Result<std::vector<LeftRows>> Meet(int64_t exchange, int place, int places,
                                     LeftRows left) override {
    gather_.Give(exchange, static_cast<size_t>(place), static_cast<size_t>(places),
                 std::move(left));
    return gather_.Take(exchange);
  }
  Status Finish() override { return {}; }
  void Cancel() override { gather_.Cancel(); }

 private:
  Gather<int64_t, LeftRows> gather_;
};

struct Arrived {
  int group = 0;
  Tensor rows, weights;
  Experts experts;
};

// The rows that a rank's tokens have at one group of experts.
struct RowList {
  std::vector<int64_t> tokens;   // [rows]
  std::vector<int64_t> slots;    // [rows][selected], -1 for another group's
  std::vector<int32_t> experts;  // likewise, within the group
};
RowList RowsOf(const std::vector<int32_t>& experts, int group, const ModelConfig& model);

class Carrier;

// One layer and micro-batch.
class Carried {
 public:
  explicit Carried(Carrier& carrier) : c_(carrier) {}

  int64_t tokens() const { return tokens_; }  // once there was a dispatch
  std::vector<Arrived> Dispatch(Tape& tape, const Tensor& x, const Choice& choice);
  // Rows in the order of Arrived.
  std::vector<Block> DispatchAgain(Tape& tape, const Block& dy);
  Block Combine(Tape& tape, const std::vector<Block>& rows, const std::vector<Block>& weights,
                Block* d_weights);

 private:
  struct List {
    int64_t rows = 0;
    Block tokens, slots;
  };
  List Upload(Tape& tape, const RowList& list) const;
  LeftRows Leaving(Tape& tape, const Block& x, const Block& weights) const;
  Block RowsFrom(Tape& tape, const LeftRows& home, int group, const List& list) const;
  Block WeightsFrom(Tape& tape, const LeftRows& home, int group, const List& list) const;
  std::vector<LeftRows> Meet(Tape& tape, LeftRows left) const;
  void Let(Tape& tape, const std::vector<LeftRows>& all) const;

  Carrier& c_;
  int64_t tokens_ = 0;
  std::vector<List> of_arrived_;  // [arrived]
  std::vector<List> of_mine_;     // [group] my tokens' rows
  Block which_;                   // [tokens][groups] rows of them, one group after the other
};

class Carrier {
 public:
  // The rank is `place` of `places`, each with as many groups of experts.
  Carrier(const ModelConfig& model, std::shared_ptr<RowMeeting> meeting, int place, int places)
      : model_(model), meeting_(std::move(meeting)), place_(place), places_(places) {}
  std::unique_ptr<Carried> Open() { return std::make_unique<Carried>(*this); }
  Status Finish() { return meeting_->Finish(); }
  void Cancel() { meeting_->Cancel(); }

 private:
  friend class Carried;
  int groups() const { return model_.expert_groups / places_; }  // of a rank

  const ModelConfig& model_;
  const std::shared_ptr<RowMeeting> meeting_;
  const int place_, places_;
  int64_t exchanges_ = 0;  // so far, of the communication lane
};

std::vector<Arrived> SendRows(Tape& tape, Carried& carried, const Tensor& x, const Choice& choice);
Tensor CollectRows(Tape& tape, Carried& carried, const std::vector<Tensor>& results);

}  // namespace pipescope::transformer::device
