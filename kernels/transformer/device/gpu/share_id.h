// The id by which the two ends of a link meet: its giver makes it, and sends it as a letter.
#pragma once

#include <functional>

#include "kernels/exchange/nccl_exchange.h"
#include "kernels/executor/post.h"
#include "kernels/transformer/device/link.h"

namespace pipescope::transformer::device {

using LinkId = kernels::exchange::NcclId;

// On both; fails on both where `make`, of the giver, does.
Result<LinkId> ShareLinkId(const LinkName& name, executor::Post& post,
                           const std::function<Result<LinkId>()>& make);

}  // namespace pipescope::transformer::device
