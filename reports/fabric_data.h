// The fabric of a report: its levels and the links between them, and what these carry.
//
//   FabricData   {name, node_gpus, levels: [{name, count}],
//                 links: [{name, lower, upper, count, bytes_per_s}]}
//   LinksData    {slice_ns, works: [name], classes: [{name, from, to, links, bytes_per_s,
//                 by_work, by_rank, busiest, percent}]}, null where nothing was counted
//
// Levels go up: GPU, NVLink switch, NIC, then the switches. A link's rate is nominal, of one cable
// and direction; a class's capacity is what transfers reach on all of its links together.
#pragma once

#include <nlohmann/json.hpp>

#include "sim/result/link_use.h"
#include "topology/cluster.h"

namespace pipescope::reports {

nlohmann::ordered_json FabricData(const topology::Cluster& cluster);
nlohmann::ordered_json LinksData(const LinkUse& use);

}  // namespace pipescope::reports
