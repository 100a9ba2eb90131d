// Ranks that are processes meet: what one leaves goes to the other as a parcel (parcels.h).
//
//   activation, gradient   to the rank that has the stage for that micro-batch
//   sum of gradients       one parcel to each rank for each copy, as transformer/copies.h does it
//                          with letters: sums are exact, so their order does not matter
//
// Bytes of a message: 2 x tokens x hidden; of a sum: 8 for each weight.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kernels/transformer/device/meeting.h"
#include "kernels/transformer/device/parcels.h"
#include "kernels/transformer/rank.h"
#include "schedules/schedule.h"

namespace pipescope::transformer::device {

// Which rank has a stage for a micro-batch.
class Whereabouts {
 public:
  explicit Whereabouts(const schedules::Schedule& schedule);
  int RankOf(int stage, int microbatch) const { return ranks_.at({stage, microbatch}); }
  // The links between ranks whose stages follow one another.
  std::set<LinkName> Links() const;

 private:
  std::map<std::pair<int, int>, int> ranks_;  // by stage and micro-batch
};

// Both ways between all of `ranks`.
std::set<LinkName> LinksAmong(const std::vector<int>& ranks, LinkLane lane);

class Apart : public Meeting {
 public:
  // All outlive it.
  Apart(Training& training, const schedules::Schedule& schedule, executor::Crew& crew,
        device::Links& links, Memory& memory);

  // All processes together, once their ranks have joined.
  Status Connect(executor::Crew& crew);

  Status Leave(const HandoverName& name, Travelling what) override;
  Result<Travelling> Take(const HandoverName& name) override;
  size_t Join(const std::string& parameter) override;
  Status GiveSum(const std::string& parameter, int64_t step, size_t place, GivenSum sum) override;
  Result<std::vector<GivenSum>> TakeSums(const std::string& parameter, int64_t step) override;
  Status Finish() override { return parcels_.Finish(); }
  void Cancel() override {}  // the job ends, and its post with it

 private:
  struct Sums {
    std::vector<GivenSum> sums;
    bool has_others = false;
    size_t taken = 0;
  };
  int RankThatGives(const HandoverName& name) const;
  Status TakeOthers(const std::string& parameter, int64_t step, std::vector<GivenSum>& sums);

  Training& t_;
  const Whereabouts whereabouts_;
  device::Links& links_;
  const int rank_;
  Parcels parcels_;
  std::map<HandoverName, Travelling> own_;  // from one of the rank's stages to another
  std::map<std::string, size_t> copies_;    // here
  std::map<std::pair<std::string, int64_t>, Sums> sums_;
};

}  // namespace pipescope::transformer::device
