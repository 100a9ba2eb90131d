// One communication pattern for programs. Times end in `_s`, sizes in `_bytes`, rates in
// `_bytes_per_second`, shares are of 1.
//
//   {"pattern", "topology", "gpus", "nodes", ..., "results": [{"sms", "time_s", ...}],
//    "saturating_sms", "definitions": {...}, "assumptions": [{"name", "value", "source"}]}
#pragma once

#include <string>
#include <vector>

#include "sim/collective/time.h"
#include "sim/exchange/exchange.h"
#include "topology/cluster.h"

namespace pipescope::reports {

std::string ExchangeJson(const topology::Cluster& cluster, const exchange::ExchangeCase& c,
                         const std::vector<exchange::ExchangeResult>& results);
std::string CollectiveJson(const topology::Cluster& cluster, const collective::Collective& c,
                           const collective::CollectiveTime& time, double network);

}  // namespace pipescope::reports
