// What goes from one process's device to another's: a queue at each end.
//
//   from.Send(data, bytes)      to.Receive(data, bytes)      the n-th of one is the n-th of other
//
// A send may wait on the device until it is received, so a link goes one way only, and a rank has
// one for each direction to each rank that it deals with: opposite ones do not wait for each other.
//
//   NCCL       a communicator of two and a stream for each (gpu/nccl_link.h)
//   emulated   a thread that sends letters of the job (emulated_link.h)
#pragma once

#include <compare>
#include <functional>
#include <memory>

#include "kernels/transformer/device/queue.h"

namespace pipescope::executor {
class Post;
}

namespace pipescope::transformer::device {

// Links of a rank's two lanes are apart, since each lane sends in an order of its own.
enum class LinkLane : uint8_t { kCompute, kCommunication };

struct LinkName {
  int from = 0, to = 0;
  LinkLane lane = LinkLane::kCompute;
  friend auto operator<=>(const LinkName&, const LinkName&) = default;
};

class Link : public Queue {
 public:
  virtual void Send(const void* data, int64_t bytes) = 0;
  virtual void Receive(void* data, int64_t bytes) = 0;
};

// This process's end of a link; both processes of one open it at the same time.
using OpenLink =
    std::function<Result<std::unique_ptr<Link>>(const LinkName& name, executor::Post& post)>;

}  // namespace pipescope::transformer::device
