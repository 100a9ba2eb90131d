// A few routes that show what a fabric does: within a node, to the next node and to the last one,
// at the same place in the node and at another.
//
//   for (const SampleRoute& s : SampleRoutes(cluster)) ...   // "next node, same GPU": 0 -> 8
#pragma once

#include <string>
#include <vector>

#include "topology/route.h"

namespace pipescope::topology {

struct SampleRoute {
  std::string what;
  int from = 0;
  int to = 0;
  Route route;
  std::vector<std::string> path;  // names of the route's vertices
};

// Pairs that do not exist in a small cluster, or repeat an earlier one, are left out.
std::vector<SampleRoute> SampleRoutes(const Cluster& cluster);

}  // namespace pipescope::topology
