#include "sim/costs/notify.h"

#include <cmath>
#include <map>
#include <numbers>

namespace pipescope::costs {
namespace {

// The largest of n has the density n f F^(n-1). All of its derivatives vanish at both ends, so that
// the trapezoidal rule is exact to many digits at this step.
double Integral(int n) {
  constexpr double kEnd = 10, kStep = 0.0625;
  const double scale = n / std::sqrt(2 * std::numbers::pi);
  double sum = 0;
  for (double x = -kEnd; x <= kEnd; x += kStep) {
    const double below = 0.5 * std::erfc(-x / std::numbers::sqrt2);
    sum += x * scale * std::exp(-x * x / 2) * std::pow(below, n - 1);
  }
  return sum * kStep;
}

}  // namespace

// Asked for each notify of a step, and of the same few n: some 300 powers each, remembered.
double ExpectedMaximum(int n) {
  if (n <= 1) return 0;
  thread_local std::map<int, double> known;
  const auto at = known.find(n);
  return at != known.end() ? at->second : known[n] = Integral(n);
}

Duration NotifyTime(const Meeting& meeting, const Links& links, const Efficiencies& e) {
  if (meeting.ranks <= 1) return Duration();
  const Duration hop =
      links.nvlink_latency + (meeting.between_nodes ? links.network_latency : Duration());
  const double wait = e.rank_spread * ExpectedMaximum(meeting.ranks) * meeting.computed.seconds();
  return hop * (meeting.exchanges_counts ? 3 : 2) + Seconds(wait);
}

}  // namespace pipescope::costs
