// Rows to the experts of other ranks and back (expert_rows.h), for ranks whose memory each can
// read: one GPU that is divided among them, or GPUs of one machine with peer access.
//
//   dispatch   each rank leaves its rows; whoever has experts of a row gathers it from there
//   combine    each rank leaves its results; whoever sent rows copies what came of them, and adds
//              it up: y = BF16(sum over groups, in order, in FP32)
//
// Both run on the communication queue of the rank that takes, on its share of the SMs. That is a
// pull through memory, not kernels/exchange's protocol of channels and credits: one GPU has no
// network between its ranks. Bytes read and written, of a rank: 2 x 2 x hidden for each row that
// comes to it, and as many for each that comes back.
#pragma once

#include <memory>
#include <vector>

#include "kernels/transformer/config.h"
#include "kernels/transformer/device/gather.h"
#include "kernels/transformer/device/operations.h"

namespace pipescope::transformer::device {

// What one rank leaves for the others of its group.
struct LeftRows {
  std::vector<Block> rows, weights;  // one, or one for each Arrived
  std::vector<int32_t> experts;      // [tokens][selected] of a dispatch
  EventPtr ready;
};
// By the number of the exchange: all ranks of a group have the same ones in the same order.
using RowMeeting = Gather<int64_t, LeftRows>;

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
