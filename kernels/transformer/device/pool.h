// A rank's memory on a device: blocks that are used again and again, without asking the device.
//
//   auto block = pool->Allocate(bytes, queue);     the first to touch it does so on that queue
//   block.reset()                                  may be used again from the rank's next action on
//
// The host gives a block back while the device has still to work on it. An action of a rank starts
// on both of its queues after all of the action before (rank.h), so what was given back in one is
// free in the next. Where another rank's queue reads a block, it leaves an event as its guard, and
// whoever gets the block next waits for it.
//
// Sizes are rounded up to eighths of powers of two, so that rows whose number changes from one
// micro-batch to the next find a block: at most 1/8 is lost.
// Example: 1000 bytes take 1024, 1100 take 1152.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "kernels/transformer/device/queue.h"

namespace pipescope::transformer::device {

class Pool;

struct BlockData {
  std::shared_ptr<Pool> pool;
  void* data = nullptr;
  int64_t bytes = 0;
  std::vector<EventPtr> guards;

  ~BlockData();
  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
};
using Block = std::shared_ptr<BlockData>;

int64_t RoundedSize(int64_t bytes);

class Pool : public std::enable_shared_from_this<Pool> {
 public:
  // `memory` outlives it.
  explicit Pool(Memory& memory) : memory_(memory) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool();

  // Throws std::runtime_error where the device has no more: the executor makes it the run's error.
  Block Allocate(int64_t bytes, Queue& queue);
  // Of any thread.
  void AddGuard(const Block& block, EventPtr event);
  // What was given back so far is free from here on.
  void NextAction();

  // Of blocks that are held or not yet free, at most so far.
  int64_t peak_bytes() const { return peak_; }

 private:
  friend struct BlockData;
  struct Spare {
    void* data = nullptr;
    std::vector<EventPtr> guards;
  };
  void Return(BlockData& block);

  Memory& memory_;
  std::mutex mutex_;
  std::multimap<int64_t, Spare> free_, resting_;  // by size
  std::vector<void*> all_;
  int64_t used_ = 0;
  std::atomic<int64_t> peak_ = 0;
};

}  // namespace pipescope::transformer::device
