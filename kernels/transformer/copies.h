// Where copies of a parameter on several ranks add their gradients up: the two directions of
// DualPipe, replicas, and what stages share (the embedding of the first stage and of MTP).
//
// Each rank gives its sums and then takes those of all copies, its own included. Who takes waits
// for who has not given yet. Copies are those with the same name.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kernels/transformer/parameter.h"

namespace pipescope::transformer {

class Copies {
 public:
  using Sums = std::vector<std::shared_ptr<const GradientSum>>;

  // Once for each copy, before any rank runs.
  void Register(const std::string& name) { ++groups_[name].copies; }

  void Give(const std::string& name, int64_t step, std::shared_ptr<const GradientSum> sum);
  // Each copy takes once a step. Fails once Cancel was called.
  Result<Sums> Take(const std::string& name, int64_t step);

  // Whoever waits, now or later, fails: a rank has failed and will not give.
  void Cancel();

 private:
  struct Given {
    Sums sums;
    size_t taken = 0;
  };
  struct Group {
    size_t copies = 0;
    std::map<int64_t, Given> steps;
  };

  std::mutex mutex_;
  std::condition_variable given_;
  std::map<std::string, Group> groups_;
  bool cancelled_ = false;
};

}  // namespace pipescope::transformer
