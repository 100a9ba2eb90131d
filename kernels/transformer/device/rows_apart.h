// Rows between ranks that are processes: parcels (parcels.h) on links of the communication lane.
//
//   a letter    from each rank of the group to each other: what its tokens chose, and how many rows
//               each block has that is for it
//   a parcel    for each of these blocks, packed: a row goes to a rank once for each group of
//               experts there that wants it
//
// A rank sends to all and then takes from all, so none waits for one that waits for it. Bytes of r
// rows: 2 r hidden, and 4 r selected of weights; example: 10 rows of hidden 64 with 2 experts a
// token: 1280 and 80.
#pragma once

#include <vector>

#include "kernels/transformer/device/parcels.h"
#include "kernels/transformer/device/rows.h"

namespace pipescope::transformer::device {

class RowsApart : public RowMeeting {
 public:
  // `ranks` of the job, by place. All outlive it; the links among them have been opened.
  RowsApart(const ModelConfig& model, executor::Post& post, Links& links, std::vector<int> ranks,
            Memory& memory)
      : model_(model),
        post_(post),
        ranks_(std::move(ranks)),
        parcels_(post, links, LinkLane::kCommunication, memory) {}

  bool shares_memory() const override { return false; }
  Result<std::vector<LeftRows>> Meet(int64_t exchange, int place, int places,
                                     LeftRows left) override;
  Status Finish() override { return parcels_.Finish(); }
  void Cancel() override {}  // the job ends, and its post with it

 private:
  Status Send(int64_t exchange, int to, const LeftRows& left);
  Result<LeftRows> Take(int64_t exchange, int from, size_t blocks);
  int64_t row_bytes() const { return 2 * model_.hidden; }
  int64_t weight_bytes() const { return 4 * model_.routing.selected; }

  const ModelConfig& model_;
  executor::Post& post_;
  const std::vector<int> ranks_;
  Parcels parcels_;
};

}  // namespace pipescope::transformer::device
