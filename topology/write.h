// A cluster as a topology file: what LoadCluster reads back as the same cluster.
//
// Example: ClusterYaml(LoadCluster("h100_dgx_pod").value(), {"a comment"}) begins with
//   # a comment
//   name: "h100-dgx-pod"
#pragma once

#include <string>
#include <vector>

#include "topology/cluster.h"

namespace pipescope::topology {

// `comments` are lines for the head of the file.
std::string ClusterYaml(const Cluster& cluster, const std::vector<std::string>& comments);

// A topology file's text for NICs: equal NICs of consecutive nodes as one range, "0-15.2".
std::vector<std::string> NicRanges(std::vector<NicAt> nics);

}  // namespace pipescope::topology
