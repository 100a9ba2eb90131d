// Where the ranks of a run on devices meet: what travels between stages, and sums of gradients.
//
// What is handed over are handles: a block, and the event at which its values are there. Who reads
// a block tells its pool when it has (Pool::AddGuard).
//
//   together.h   ranks of one process: the block itself goes to the other rank, which copies it
//   apart.h      ranks that are processes: a parcel on a link; the block is one on the taker's
//                device
//
// The executor's own message, empty, tells the host of the taker that a thing was left.
#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "kernels/transformer/device/operations.h"

namespace pipescope::transformer::device {

// The stage that takes it, the micro-batch, whether it is a gradient.
using HandoverName = std::tuple<int, int, bool>;

class Meeting {
 public:
  virtual ~Meeting() = default;

  virtual Status Leave(const HandoverName& name, Travelling what) = 0;
  virtual Result<Travelling> Take(const HandoverName& name) = 0;

  // Once for each copy of a parameter that a rank has, before any of them runs: its place among
  // the copies that are here.
  virtual size_t Join(const std::string& parameter) = 0;
  // Each copy gives once a step, and then takes what all have given, in any order.
  virtual Status GiveSum(const std::string& parameter, int64_t step, size_t place,
                         GivenSum sum) = 0;
  virtual Result<std::vector<GivenSum>> TakeSums(const std::string& parameter, int64_t step) = 0;

  // Waits for what is still on its way; what went wrong there.
  virtual Status Finish() = 0;
  // Whoever waits, now or later, fails.
  virtual void Cancel() = 0;
};

}  // namespace pipescope::transformer::device
