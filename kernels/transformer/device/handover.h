// Where ranks of one process leave what travels between stages on the device. The executor's own
// message, empty, tells the host of the taker that it is there; the device waits for the event.
#pragma once

#include <array>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include "kernels/transformer/device/operations.h"
#include "sim/base/result.h"

namespace pipescope::transformer::device {

// The stage that takes it, the micro-batch, whether it is a gradient.
using HandoverName = std::tuple<int, int, bool>;

class Handover {
 public:
  void Leave(const HandoverName& name, Travelling what) {
    const std::lock_guard lock(mutex_);
    left_[name] = std::move(what);
  }

  Travelling Take(const HandoverName& name) {
    const std::lock_guard lock(mutex_);
    if (alone()) return always_[std::get<2>(name) ? 1 : 0];
    const auto at = left_.find(name);
    PIPESCOPE_CHECK(at != left_.end());
    Travelling taken = std::move(at->second);
    left_.erase(at);
    return taken;
  }

  // Ranks that play alone take these each time, and what they give is dropped.
  void TakeAlways(Travelling activation, Travelling gradient) {
    always_ = {std::move(activation), std::move(gradient)};
  }
  bool alone() const { return always_[0].block != nullptr; }

 private:
  std::mutex mutex_;
  std::map<HandoverName, Travelling> left_;
  std::array<Travelling, 2> always_;
};

}  // namespace pipescope::transformer::device
