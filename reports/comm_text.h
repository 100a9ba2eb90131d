// One communication pattern for people: what it moves, how long it takes, which bandwidths one may
// quote and what each counts, what bounds it.
//
//   dispatch over 64 GPUs: 8 nodes x 8 H800 SXM5 80 GB of h800-2048-fat-tree
//   ...
//    SMs  time      RDMA  NVL  ...  bound by
//     20  2.27 ms   51.6  97.9 ...  network
#pragma once

#include <string>
#include <vector>

#include "sim/collective/time.h"
#include "sim/exchange/exchange.h"
#include "topology/cluster.h"

namespace pipescope::reports {

std::string ExchangeText(const topology::Cluster& cluster, const exchange::ExchangeCase& c,
                         const std::vector<exchange::ExchangeResult>& results);

// `network` is the share of the NICs' nominal rate that was counted with.
std::string CollectiveText(const topology::Cluster& cluster, const collective::Collective& c,
                           const collective::CollectiveTime& time, double network);

// What each bandwidth counts: name and words, of dispatch and combine, and of collectives.
struct Definition {
  std::string name;
  std::string counts;
};
std::vector<Definition> ExchangeDefinitions();
std::vector<Definition> CollectiveDefinitions();

// The fewest SMs that reach 98 % of the best bandwidth among the results.
int SaturatingSms(const std::vector<exchange::ExchangeResult>& results);

}  // namespace pipescope::reports
