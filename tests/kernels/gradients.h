// Random data, and gradients against central finite differences.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace pipescope::kernels {

std::vector<float> Normal(int64_t count, uint32_t seed, float scale = 1);

// sum of a[i] b[i] in double: with random b, a loss that every output has its own part in.
double Dot(std::span<const float> a, std::span<const float> b);

// Expects d loss / d x[i] for every i from differences of fourth order,
//   (8 (loss(+h) - loss(-h)) - (loss(+2h) - loss(-2h))) / 12h,    h = 1/32
// whose error is about h^4 = 1e-6 of the fifth derivative, and 1e-7 / h of the loss from rounding
// outputs to float. `tolerance` is relative to the largest component.
void ExpectGradient(const std::function<double(std::span<const float>)>& loss, std::vector<float> x,
                    std::span<const float> gradient, double tolerance = 1e-4);

}  // namespace pipescope::kernels
