// Ranks of one process meet: blocks are left where the other finds them.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "kernels/transformer/device/gather.h"
#include "kernels/transformer/device/meeting.h"

namespace pipescope::transformer::device {

class Together : public Meeting {
 public:
  Status Leave(const HandoverName& name, Travelling what) override {
    const std::lock_guard lock(mutex_);
    left_[name] = std::move(what);
    return {};
  }

  // The executor's message has told that it is there.
  Result<Travelling> Take(const HandoverName& name) override {
    const std::lock_guard lock(mutex_);
    const auto at = left_.find(name);
    PIPESCOPE_CHECK(at != left_.end());
    Travelling taken = std::move(at->second);
    left_.erase(at);
    return taken;
  }

  size_t Join(const std::string& parameter) override { return holders_[parameter]++; }
  Status GiveSum(const std::string& parameter, int64_t step, size_t place, GivenSum sum) override {
    sums_.Give({parameter, step}, place, holders_.at(parameter), std::move(sum));
    return {};
  }
  Result<std::vector<GivenSum>> TakeSums(const std::string& parameter, int64_t step) override {
    return sums_.Take({parameter, step});
  }

  Status Finish() override { return {}; }  // a rank's own queues are all there is
  void Cancel() override { sums_.Cancel(); }

 private:
  std::mutex mutex_;  // of left_
  std::map<HandoverName, Travelling> left_;
  Gather<std::pair<std::string, int64_t>, GivenSum> sums_;
  std::map<std::string, size_t> holders_;  // copies of each parameter
};

}  // namespace pipescope::transformer::device
