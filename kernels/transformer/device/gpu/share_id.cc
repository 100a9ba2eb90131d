#include "kernels/transformer/device/gpu/share_id.h"

#include <algorithm>

#include "kernels/executor/numbers.h"

namespace pipescope::transformer::device {

Result<LinkId> ShareLinkId(const LinkName& name, executor::Post& post,
                           const std::function<Result<LinkId>()>& make) {
  if (post.rank() == name.from) {
    auto id = make();
    // An empty letter: there is none.
    const auto letter = id ? std::vector<char>(id->begin(), id->end()) : std::vector<char>();
    if (Status ok = post.Send<char>(name.to, executor::kLinkIdNumber, letter); !ok) {
      return Fail(ok.error());
    }
    return id;
  }
  const auto letter = post.Receive<char>(name.from, executor::kLinkIdNumber);
  if (!letter) return Fail(letter.error());
  LinkId id = {};
  if (letter->size() != id.size()) {
    return Fail("rank " + std::to_string(name.from) + " has no id for a link of NCCL's");
  }
  std::copy(letter->begin(), letter->end(), id.begin());
  return id;
}

}  // namespace pipescope::transformer::device
