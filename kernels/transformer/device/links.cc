#include "kernels/transformer/device/links.h"

namespace pipescope::transformer::device {

Status Links::Connect(const std::set<LinkName>& names) {
  for (const LinkName& name : names) {
    if (name.from != post_.rank() && name.to != post_.rank()) continue;
    if (links_.contains(name)) continue;
    auto link = open_(name, post_);
    if (!link) return Fail(link.error());
    links_[name] = *std::move(link);
  }
  return {};
}

}  // namespace pipescope::transformer::device
