#include "kernels/transformer/copies.h"

namespace pipescope::transformer {

void Copies::Give(const std::string& name, int64_t step, std::shared_ptr<const GradientSum> sum) {
  {
    const std::lock_guard lock(mutex_);
    groups_.at(name).steps[step].sums.push_back(std::move(sum));
  }
  given_.notify_all();
}

Result<Copies::Sums> Copies::Take(const std::string& name, int64_t step) {
  std::unique_lock lock(mutex_);
  Group& group = groups_.at(name);
  given_.wait(lock, [&] { return cancelled_ || group.steps[step].sums.size() == group.copies; });
  if (cancelled_) return Fail("the gradients of " + name + " will not all come");
  Given& given = group.steps[step];
  Sums sums = given.sums;
  if (++given.taken == group.copies) group.steps.erase(step);
  return sums;
}

void Copies::Cancel() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  given_.notify_all();
}

}  // namespace pipescope::transformer
