#include "sim/costs/neighbours.h"

#include <algorithm>

#include "sim/base/result.h"

namespace pipescope::costs {
namespace {

struct Line {
  double start = 0, slope = 1;
  double At(double model) const { return start + slope * model; }
};

// Least squares of (start + slope model_i) / seconds_i - 1. Through the origin where there is but
// one size, or where the line would begin below it.
Line Fit(std::span<const Neighbour> neighbours) {
  double uu = 0, uv = 0, vv = 0, u = 0, v = 0;  // sums over u = 1 / seconds, v = model / seconds
  for (const Neighbour& n : neighbours) {
    if (n.seconds <= 0) return {};
    const double one = 1 / n.seconds, size = n.model / n.seconds;
    uu += one * one;
    uv += one * size;
    vv += size * size;
    u += one;
    v += size;
  }
  const Line origin = {0, v / vv};
  const double determinant = uu * vv - uv * uv;
  if (determinant <= 1e-9 * uu * vv) return origin;
  const Line line = {(u * vv - v * uv) / determinant, (v * uu - u * uv) / determinant};
  if (line.start < 0) return origin;
  if (line.slope < 0) return {u / uu, 0};
  return line;
}

}  // namespace

double GuessFrom(std::span<const Neighbour> neighbours, double model, Trend trend) {
  PIPESCOPE_CHECK(!neighbours.empty());
  const Line line = trend == Trend::kAffine ? Fit(neighbours) : Line{};
  double sum = 0, weights = 0;
  for (const Neighbour& n : neighbours) {
    const double weight = 1 / std::max(n.distance * n.distance, 1e-18);
    sum += weight * n.seconds / line.At(n.model);
    weights += weight;
  }
  return line.At(model) * sum / weights;
}

}  // namespace pipescope::costs
