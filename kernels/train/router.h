// The router: which experts a token goes to, and with what weight, from the logits of its linear
// layer (whose own gradients are GEMMs).
//
//   s[e]    = sigmoid(logit[e])  or  softmax over e of the logits
//   b[e]    = s[e] + bias[e]                          for the choice only; no gradient
//   group   = neighbouring experts; its score is the sum of its `group_best` largest b
//   chosen  = the `selected` largest b within the `groups_selected` best groups
//   weight  = scale s[e] / (sum of the chosen s + 1e-20)     or scale s[e] if not normalised
//
// Order: larger first and, where equal, the smaller index first, for groups as for experts; NaN is
// below everything. So the choice is a function of the values alone. Experts outside the chosen
// groups are never taken, however small b is inside (some published code writes 0 for them, which
// beats a negative b). 1e-20 keeps the weights of all-zero scores at zero.
//
// The choice is constant for the gradient. With G = dL/dweight and D = sum of the chosen s + 1e-20:
//
//   ds[e] = scale (G[e] - sum over the chosen j of G[j] s[j] / D) / D   or scale G[e]
//   dlogit[e] = ds[e] s[e] (1 - s[e])    or   s[e] (ds[e] - sum over j of ds[j] s[j])
//
// logits are [tokens][experts]; experts, weights and their gradient [tokens][selected], best first.
//
// DeepSeek-V3: 256 experts, 8 groups of which 4, 8 selected, best 2 (8 experts / 4 groups),
// sigmoid, normalised, scale 2.5. Example: 4 experts in 2 groups of which 1, 2 selected, s = {.9 .1
// .6 .5}, no bias: groups score 1.0 and 1.1, so experts 2 and 3 with 6/11 and 5/11, though expert 0
// is best. Source: arXiv 2412.19437, section 2.1.2, equations 12 to 16; 1e-20 and 2.5 as in the
// published model's code and configuration.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace pipescope::kernels {

enum class Scoring { kSigmoid, kSoftmax };

struct RouterConfig {
  int64_t experts = 1;
  int64_t selected = 1;
  int64_t groups = 1;
  int64_t groups_selected = 1;
  int64_t group_best = 1;
  Scoring scoring = Scoring::kSigmoid;
  bool normalised = true;
  double scale = 1;
};

struct Routes {
  std::vector<int32_t> experts;  // [tokens][selected]
  std::vector<float> weights;    // [tokens][selected]
};

// `bias` has one value for each expert, or none. Aborts on a configuration that cannot be met, as
// CheckRouter does.
Routes Route(std::span<const float> logits, std::span<const float> bias,
             const RouterConfig& config);

void CheckRouter(const RouterConfig& config);

// The same with another way to choose: `choose` is told the b of a token and writes its experts.
using ChooseExperts =
    std::function<void(std::span<const double> biased, std::span<int32_t> chosen)>;
Routes RouteBy(const ChooseExperts& choose, std::span<const float> logits,
               std::span<const float> bias, const RouterConfig& config);

// The gradient of the logits, given the experts that Route chose and its weights' gradient.
std::vector<float> RouteInputGradient(std::span<const float> logits,
                                      std::span<const int32_t> experts,
                                      std::span<const float> d_weights, const RouterConfig& config);

}  // namespace pipescope::kernels
