// What is broken or slow in a cluster: read from a topology file, and checked.
//
//   faults:
//     dead_nics: ["3.5", "7.0-7"]                   # node.nic, either may be a range
//     slow_nics: ["3.6 at 100 Gbps"]
//     dead_switches: [spine 70]                     # as `topology show` and routes name them
//     dead_links: ["leaf 0 -- spine 64"]            # all cables between the two
//     slow_links: ["leaf 0 -- spine 65 at 50 %"]    # of the bandwidth between the two
//
// Routes go around what is dead (route.h). A cluster in which two GPUs are cut off is an error:
// two nodes are joined where live NICs of both are, over live links, since a message may change
// NICs inside its two nodes but passes no third.
#pragma once

#include "sim/base/fields.h"
#include "sim/base/result.h"
#include "topology/cluster.h"

namespace pipescope::topology {

// Marks the names above as known.
void TakeFaults(Fields& fields);

// `cluster` has all but its faults, and has passed CheckCluster.
Faults ReadFaults(Fields& fields, const Cluster& cluster);

// The cluster must pass without its faults.
Status CheckFaults(const Cluster& cluster);

}  // namespace pipescope::topology
