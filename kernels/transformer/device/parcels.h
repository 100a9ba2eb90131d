// Blocks of a device's memory that go to the devices of other processes, by name.
//
//   giver   parcels.Send(2, "activation 3 17", block, bytes, ready)     goes on at once
//   taker   auto parcel = parcels.Take(1, "activation 3 17");           waits for the giver's host
//           queue.Wait(parcel->ready); ... queue reads parcel->block
//
// With each parcel goes a letter (executor/post.h) that names it. The taker reads the letters of a
// rank in their order, and puts a receive on the link for each: so both ends have the same order,
// in whatever order parcels are asked for. What came before it was asked for is kept.
//
// Devices cannot wait for each other in a circle: a receive is put on its link when its send is on
// it already, and nothing waits for a send but what is received of it. A block that is being sent
// is held, not guarded, until its send has happened; the taker's are of a pool of their own, that
// only the link's queue writes. So all that a device waits for was given to some device before.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "kernels/executor/post.h"
#include "kernels/transformer/device/links.h"
#include "kernels/transformer/device/pool.h"

namespace pipescope::transformer::device {

struct Parcel {
  Block block;
  int64_t bytes = 0;
  EventPtr ready;
};

// Of one lane of a rank; called by one thread at a time.
class Parcels {
 public:
  // All outlive it. The links have been opened.
  Parcels(executor::Post& post, Links& links, LinkLane lane, Memory& memory)
      : post_(post), links_(links), lane_(lane), pool_(std::make_shared<Pool>(memory)) {}
  Parcels(const Parcels&) = delete;
  Parcels& operator=(const Parcels&) = delete;
  ~Parcels() { (void)Finish(); }

  Status Send(int to, const std::string& name, const Block& block, int64_t bytes,
              const EventPtr& ready);
  // Fails where the job has.
  Result<Parcel> Take(int from, const std::string& name);
  // Waits until all sent parcels are received, and those taken are there.
  Status Finish();

 private:
  using Name = std::pair<int, std::string>;  // of whom
  struct Sending {
    Block block;
    EventPtr done;
  };
  Link& Use(const LinkName& name);
  Status ReceiveNext(int from);

  executor::Post& post_;
  Links& links_;
  const LinkLane lane_;
  const std::shared_ptr<Pool> pool_;
  std::deque<Sending> sending_;
  std::map<Name, std::deque<Parcel>> arrived_;  // not yet taken
  std::set<LinkName> used_;                     // since the last Finish
};

}  // namespace pipescope::transformer::device
