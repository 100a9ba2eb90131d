// A queue of a device's work, in order: a CUDA stream, or a thread that plays one (emulation.h).
//
// Which work is for those that derive from it: a rank's kernels (kernels.h), what goes to another
// process (link.h). A call puts work on the queue and comes back; what it is given must stay until
// the work is done. The first failure stays with the queue: Finish tells it, and until then calls
// do nothing more that matters.
//
//   auto event = a.Record();      // when all that a holds so far is done
//   b.Wait(event);                // what b is given from here on starts after that
//
// No CUDA header is visible here.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/base/result.h"

namespace pipescope::transformer::device {

class Event {
 public:
  virtual ~Event() = default;
  // When it happened, in seconds on the clock that all queues of a device share. Waits for it.
  virtual Result<double> Seconds() const = 0;
  // Whether it has; also where its queue has failed, which says so itself.
  virtual bool happened() const = 0;
};
using EventPtr = std::shared_ptr<Event>;

class Queue {
 public:
  virtual ~Queue() = default;

  virtual EventPtr Record() = 0;
  virtual void Wait(const EventPtr& event) = 0;
  virtual Status Finish() = 0;

  // The bytes hold nothing: an emulation fills them with what would be seen in results.
  virtual void Forget(void* /*at*/, int64_t /*bytes*/) {}
};

// Memory that the queues of a device reach; slow, a pool keeps what it got.
class Memory {
 public:
  virtual ~Memory() = default;
  virtual Result<void*> Allocate(int64_t bytes) = 0;
  virtual void Free(void* data) = 0;
};

}  // namespace pipescope::transformer::device
