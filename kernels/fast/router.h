// The choice of kernels/train/router.h as real runs need it: the same name, arguments and result,
// to the bit. The truth sorts lists that it makes for each token; here they are made once, and of
// values the largest few are kept in order. Its gradient needs no other version.
#pragma once

#include <span>

#include "kernels/train/router.h"

namespace pipescope::kernels::fast {

Routes Route(std::span<const float> logits, std::span<const float> bias,
             const RouterConfig& config);

}  // namespace pipescope::kernels::fast
