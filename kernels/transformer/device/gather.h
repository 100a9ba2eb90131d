// Where ranks of one process leave things for each other: each gives one under a name, and each
// takes what all have given, in the order of their places. Who takes waits.
//
// Things are handles (a block and an event): what they stand for may be still to be computed.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/result.h"

namespace pipescope::transformer::device {

template <class Key, class T>
class Gather {
 public:
  // The same `places` at each call of a name.
  void Give(const Key& name, size_t place, size_t places, T thing) {
    {
      const std::lock_guard lock(mutex_);
      auto& given = given_[name];
      given.things.resize(places);
      given.things[place] = std::move(thing);
      ++given.count;
    }
    changed_.notify_all();
  }

  // Each place takes once. Fails once Cancel was called.
  Result<std::vector<T>> Take(const Key& name) {
    std::unique_lock lock(mutex_);
    const auto all = [&] {
      const auto at = given_.find(name);
      return at != given_.end() && at->second.count == at->second.things.size();
    };
    changed_.wait(lock, [&] { return cancelled_ || all(); });
    if (cancelled_) return Fail("what other ranks were to give will not come");
    Given& given = given_.at(name);
    std::vector<T> things;
    for (const auto& thing : given.things) things.push_back(*thing);
    if (++given.taken == given.things.size()) given_.erase(name);
    return things;
  }

  // Whoever waits, now or later, fails.
  void Cancel() {
    {
      const std::lock_guard lock(mutex_);
      cancelled_ = true;
    }
    changed_.notify_all();
  }

 private:
  struct Given {
    std::vector<std::optional<T>> things;
    size_t count = 0, taken = 0;
  };

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Key, Given> given_;
  bool cancelled_ = false;
};

}  // namespace pipescope::transformer::device
