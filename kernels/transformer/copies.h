// Where copies of a parameter on several ranks add their gradients up: the two directions of
// DualPipe, replicas, and what stages share (the embedding of the first stage and of MTP).
//
// Each rank gives its sums and then takes those of all copies, its own included. Who takes waits
// for who has not given yet. Copies are those with the same name; where ranks are processes, their
// sums travel as letters (executor/post.h), one to each process for each copy.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kernels/executor/crew.h"
#include "kernels/transformer/parameter.h"

namespace pipescope::transformer {

class Copies {
 public:
  using Sums = std::vector<std::shared_ptr<const GradientSum>>;

  // Once for each copy, before any rank runs.
  void Register(const std::string& name) { ++groups_[name].copies; }

  // Once after that, on all processes of the crew: finds the copies of others.
  Status Connect(executor::Crew& crew);
  // [rank] how many copies it has; where ranks are threads, nothing.
  std::vector<int> HoldersOf(const std::string& name) const {
    const auto at = groups_.find(name);
    return at == groups_.end() ? std::vector<int>() : at->second.holders;
  }

  Status Give(const std::string& name, int64_t step, std::shared_ptr<const GradientSum> sum);
  // Each copy takes once a step. Fails once Cancel was called.
  Result<Sums> Take(const std::string& name, int64_t step);

  // Whoever waits, now or later, fails: a rank has failed and will not give.
  void Cancel();

 private:
  struct Given {
    Sums sums;
    size_t taken = 0;
    bool has_others = false;  // those of other processes
  };
  struct Group {
    size_t copies = 0;  // here
    int32_t number = 0;
    std::vector<int> holders;
    std::map<int64_t, Given> steps;
  };

  Status TakeOthers(const Group& group, Sums& sums);

  std::mutex mutex_;
  std::condition_variable given_;
  std::map<std::string, Group> groups_;
  bool cancelled_ = false;
  executor::Post* post_ = nullptr;
};

}  // namespace pipescope::transformer
