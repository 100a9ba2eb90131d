// The router of kernels/train as real runs need it: the same names, arguments and results, to the
// bit. The truth makes lists for each token; here they are made once, and of values the largest few
// are kept in order instead of all being sorted.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/train/router.h"

namespace pipescope::kernels::fast {

Routes Route(std::span<const float> logits, std::span<const float> bias,
             const RouterConfig& config);

std::vector<float> RouteInputGradient(std::span<const float> logits,
                                      std::span<const int32_t> experts,
                                      std::span<const float> d_weights, const RouterConfig& config);

}  // namespace pipescope::kernels::fast
