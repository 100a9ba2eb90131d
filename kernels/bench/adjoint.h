// Gradients against differences: for random directions v and weights w,
//
//   sum of w (f(x + h v) - f(x - h v)) / 2h   and   sum of v df(x, w)
//
// must agree; both sides over many directions make the two vectors that are compared.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "kernels/bench/check.h"

namespace pipescope::kernels::bench {

using Function = std::function<std::vector<float>(std::span<const float> x)>;
using Gradient =
    std::function<std::vector<float>(std::span<const float> x, std::span<const float> d_out)>;

// One case of `checked`.
void NoteGradient(Checked& checked, const std::string& what, Draw& draw,
                  const std::vector<float>& x, const Function& f, const Gradient& gradient);

}  // namespace pipescope::kernels::bench
