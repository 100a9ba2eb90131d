#include "kernels/transformer/copies.h"

#include <sstream>

#include "kernels/executor/post.h"
#include "kernels/turns.h"

namespace pipescope::transformer {

Status Copies::Connect(executor::Crew& crew) {
  post_ = crew.post();
  if (post_ == nullptr) return {};
  std::string own;
  for (const auto& [name, group] : groups_) {
    for (size_t copy = 0; copy < group.copies; ++copy) own += name + "\n";
  }
  const auto lists = crew.Gather(own);
  if (!lists) return Fail(lists.error());
  std::string all;
  for (const std::string& list : *lists) all += list + "\n";  // an empty line ends a rank's
  const auto shared = crew.Share(all);
  if (!shared) return Fail(shared.error());
  std::map<std::string, std::vector<int>> holders;
  std::istringstream lines(*shared);
  size_t rank = 0;
  for (std::string name; std::getline(lines, name);) {
    if (name.empty()) {
      ++rank;
      continue;
    }
    auto& of_name = holders[name];
    of_name.resize(static_cast<size_t>(post_->ranks()));
    ++of_name[rank];
  }
  int32_t number = 0;
  for (const auto& [name, of_name] : holders) {
    if (const auto at = groups_.find(name); at != groups_.end()) {
      at->second.number = number;
      at->second.holders = of_name;
    }
    ++number;
  }
  return {};
}

Status Copies::Give(const std::string& name, int64_t step, std::shared_ptr<const GradientSum> sum) {
  Group& group = groups_.at(name);
  for (int r = 0; post_ != nullptr && r < post_->ranks(); ++r) {
    if (r == post_->rank() || group.holders[static_cast<size_t>(r)] == 0) continue;
    if (Status sent = post_->Send<double>(r, group.number, sum); !sent) return sent;
  }
  {
    const std::lock_guard lock(mutex_);
    group.steps[step].sums.push_back(std::move(sum));
  }
  given_.notify_all();
  kernels::TellTurns();
  return {};
}

Result<Copies::Sums> Copies::Take(const std::string& name, int64_t step) {
  std::unique_lock lock(mutex_);
  Group& group = groups_.at(name);
  const auto given_by_all = [&] {
    const Given& given = group.steps[step];
    return cancelled_ || given.has_others || given.sums.size() == group.copies;
  };
  if (!kernels::WaitInTurn(lock, given_by_all)) given_.wait(lock, given_by_all);
  if (cancelled_) return Fail("the gradients of " + name + " will not all come");
  Given& given = group.steps[step];
  if (post_ != nullptr && !given.has_others) {
    if (Status taken = TakeOthers(group, given.sums); !taken) return Fail(taken.error());
    given.has_others = true;
  }
  Sums sums = given.sums;
  if (++given.taken == group.copies) group.steps.erase(step);
  return sums;
}

// A process has one rank, whose thread alone takes: nobody else wants the lock meanwhile.
Status Copies::TakeOthers(const Group& group, Sums& sums) {
  for (int r = 0; r < post_->ranks(); ++r) {
    if (r == post_->rank()) continue;
    for (int copy = 0; copy < group.holders[static_cast<size_t>(r)]; ++copy) {
      auto sum = post_->Receive<double>(r, group.number);
      if (!sum) return Fail(sum.error());
      sums.push_back(std::make_shared<const GradientSum>(*std::move(sum)));
    }
  }
  return {};
}

void Copies::Cancel() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  given_.notify_all();
  kernels::TellTurns();
}

}  // namespace pipescope::transformer
