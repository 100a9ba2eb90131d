// What the exchange's event model is made of: servers, bounded rings, a queue of events.
#pragma once

#include <algorithm>
#include <cstdint>
#include <queue>
#include <vector>

#include "sim/base/units.h"

namespace pipescope::exchange {

// Serves one job after the other, in the order in which they come: a link's port, a group of warps.
class Station {
 public:
  // Returns when the job starts; it ends `service` later.
  Duration Serve(Duration ready, Duration service) {
    const Duration start = std::max(ready, free_);
    free_ = start + service;
    busy_ += service;
    return start;
  }
  Duration free() const { return free_; }
  Duration busy() const { return busy_; }

 private:
  Duration free_;
  Duration busy_;
};

// Slots between a writer and a reader. The writer takes slots before it writes; they come back when
// the reader's credit arrives.
class Ring {
 public:
  explicit Ring(int slots) : slots_(slots) {}
  bool Take(int n) {
    if (used_ + n > slots_) return false;
    used_ += n;
    peak_ = std::max(peak_, used_);
    return true;
  }
  void GiveBack(int n) { used_ -= n; }
  int slots() const { return slots_; }
  int used() const { return used_; }
  int peak() const { return peak_; }

 private:
  int slots_;
  int used_ = 0;
  int peak_ = 0;
};

// Events of the kinds that a run defines, by time and then by the order in which they were added.
template <class Kind>
class Events {
 public:
  struct Event {
    Duration at;
    int64_t order = 0;
    Kind kind = {};
    int32_t a = 0;
    int32_t b = 0;

    bool operator<(const Event& other) const {  // the queue's top is the greatest
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  void Add(Duration at, Kind kind, int32_t a, int32_t b = 0) {
    queue_.push({at, count_++, kind, a, b});
  }
  bool empty() const { return queue_.empty(); }
  Event Next() {
    Event event = queue_.top();
    queue_.pop();
    return event;
  }
  int64_t count() const { return count_; }

 private:
  std::priority_queue<Event> queue_;
  int64_t count_ = 0;
};

}  // namespace pipescope::exchange
