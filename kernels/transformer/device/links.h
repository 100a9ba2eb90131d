// The links of a process.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <utility>

#include "kernels/executor/post.h"
#include "kernels/transformer/device/link.h"

namespace pipescope::transformer::device {

// Kept from one training to the next: to open one takes long.
class Links {
 public:
  Links(executor::Post& post, OpenLink open) : post_(post), open_(std::move(open)) {}

  // Opens those of this process's rank that are not open yet, in the order of their names: since
  // all processes keep to that order, none waits for one that waits for it.
  Status Connect(const std::set<LinkName>& names);
  Link& At(const LinkName& name) { return *links_.at(name); }

 private:
  executor::Post& post_;
  const OpenLink open_;
  std::map<LinkName, std::unique_ptr<Link>> links_;
};

}  // namespace pipescope::transformer::device
