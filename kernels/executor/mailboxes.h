// Ranks as threads of one process: a mailbox for each, in shared memory.
//
// A payload is moved, not copied, so a message costs a lock and no bytes; it has arrived when it
// was sent. Receivers wait awake (spin.h) where they may.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <vector>

#include "kernels/executor/stop.h"
#include "kernels/executor/transport.h"

namespace pipescope::executor {

class Mailboxes : public Transport {
 public:
  // `stop` must outlive this.
  Mailboxes(int ranks, const Stop& stop, bool awake)
      : stop_(stop), awake_(awake), boxes_(static_cast<size_t>(ranks)) {}

  Status Send(const MessageName& name, Payload payload) override;
  Result<Received> Receive(const MessageName& name) override;

 private:
  struct Box {
    std::mutex mutex;
    std::condition_variable filled;
    std::map<MessageName, Received> messages;
    std::atomic<uint64_t> sent = 0;  // messages so far: what a receiver looks at without the lock
  };

  const Stop& stop_;
  const bool awake_;
  std::vector<Box> boxes_;  // by receiving rank
};

}  // namespace pipescope::executor
