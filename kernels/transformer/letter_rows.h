// Rows between ranks that are processes, of one machine or many: dispatch and combine as one letter
// from each rank of the group to each other one.
//
//   dispatch        to group g   its rows (row_layout.h) in BF16, then their choices and weights
//   dispatch again               rows alone
//   combine         to home h    a row in BF16 for each that came from it, then weights if asked
//   for
//
// A letter of r rows has r (2 hidden + 8 selected), 2 r hidden, or r (2 hidden + 4 selected) bytes;
// example: 10 rows of hidden 64 with 2 experts a token: 1440 bytes out, 1280 back.
//
// What comes is put together in the order of the group's ranks, whenever it came: the rows, the
// sums and their rounding are those of kernels/exchange and of one rank, to the bit. Its rings are
// no use here: they bound memory and hide NVLink's and the NIC's latency, six rows at a time, while
// a message of MPI costs the processor as much as some thousand bytes do. Nor is memory shared by
// the processes of one machine, which would need letters beside it for the others.
//
// A rank sends to all and then takes from all, so none waits for one that waits for it.
#pragma once

#include <memory>
#include <vector>

#include "kernels/executor/post.h"
#include "kernels/transformer/config.h"
#include "kernels/transformer/expert_rows.h"
#include "sim/base/result.h"

namespace pipescope::transformer {

// Between the ranks of one group, by their place in it. In the order in which each one sent.
class GroupLetters {
 public:
  virtual ~GroupLetters() = default;
  virtual Status Send(int to, std::vector<char> letter) = 0;
  virtual Result<std::vector<char>> Receive(int from) = 0;
};

// By the post of a job, whose stop ends whoever waits.
class PostLetters : public GroupLetters {
 public:
  // `ranks` of the job, by place.
  PostLetters(executor::Post& post, std::vector<int> ranks)
      : post_(post), ranks_(std::move(ranks)) {}
  Status Send(int to, std::vector<char> letter) override;
  Result<std::vector<char>> Receive(int from) override;

 private:
  executor::Post& post_;
  const std::vector<int> ranks_;
};

class OverLetters : public ExpertCarrier {
 public:
  // The rank's place in its group is also the group of experts that it has.
  OverLetters(const ModelConfig& model, std::unique_ptr<GroupLetters> letters, int place)
      : model_(model), letters_(std::move(letters)), place_(place) {}
  std::unique_ptr<ExpertRows> Open() override;

 private:
  const ModelConfig& model_;
  std::unique_ptr<GroupLetters> letters_;
  int place_;
};

}  // namespace pipescope::transformer
