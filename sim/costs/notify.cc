#include "sim/costs/notify.h"

#include "sim/base/order_statistics.h"

namespace pipescope::costs {

Duration NotifyTime(const Meeting& meeting, const Links& links, const Efficiencies& e) {
  if (meeting.ranks <= 1) return Duration();
  const Duration hop =
      links.nvlink_latency + (meeting.between_nodes ? links.network_latency : Duration());
  const double wait = e.rank_spread * ExpectedMaximum(meeting.ranks) * meeting.computed.seconds();
  return hop * (meeting.exchanges_counts ? 3 : 2) + Seconds(wait);
}

}  // namespace pipescope::costs
