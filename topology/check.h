// Whether a cluster can be built: the checks that look at several fields at once.
//
//   a node   GPUs share NICs evenly (gpus % nics == 0); NVLink where there is more than one GPU;
//            achievable NVLink <= nominal
//   fabric   the switches' ports reach all NICs; planes divide the NICs; the oversubscription is a
//            ratio of whole numbers of ports (see clos.h)
//   size     at most 1e6 nodes and 2^20 GPUs in all, so that a graph of it fits in memory
//
// LoadCluster runs this. Whoever changes or makes a Cluster in code runs it before anything else
// of topology/, which aborts on a cluster that does not pass. Example: 8 GPUs with 3 NICs give
//   node.nics: 3 NICs cannot be shared evenly by 8 GPUs; expected 1, 2, 4 or 8
#pragma once

#include "sim/base/result.h"
#include "topology/cluster.h"

namespace pipescope::topology {

inline constexpr int kMaxNodes = 1'000'000;
inline constexpr int kMaxGpusPerNode = 1024;
inline constexpr int kMaxGpus = 1 << 20;
inline constexpr int kMaxSwitchPorts = 4096;
inline constexpr int kMaxSwitches = 1 << 18;
inline constexpr int kMaxCabledSwitches = 4096;  // of an explicit fabric: distances are kept

// The error's `field` is the path in a topology file, such as "node.nics".
Status CheckCluster(const Cluster& cluster);

// Whether all that a prediction needs is known: a topology that was imported may leave figures
// `unknown`, and can be shown and routed all the same.
Status CheckKnown(const Cluster& cluster);

}  // namespace pipescope::topology
