#include "topology/samples.h"

#include <algorithm>

namespace pipescope::topology {

std::vector<SampleRoute> SampleRoutes(const Cluster& cluster) {
  const Router router(cluster);
  const int per_node = cluster.node.gpus;
  const int last_node = (cluster.nodes - 1) * per_node;
  // The first GPU that has another NIC than GPU 0.
  const int other = std::min(per_node - 1, per_node / std::max(1, cluster.node.nics));
  struct Pair {
    const char* what;
    int to;
  };
  const std::vector<Pair> pairs = {{"same node", std::min(1, per_node - 1)},
                                   {"next node, same GPU", per_node},
                                   {"next node, next NIC", per_node + other},
                                   {"last node, same GPU", last_node},
                                   {"last node, last GPU", cluster.gpus() - 1}};
  std::vector<SampleRoute> samples;
  for (const Pair& pair : pairs) {
    const bool seen = std::any_of(samples.begin(), samples.end(),
                                  [&](const SampleRoute& s) { return s.to == pair.to; });
    if (seen || pair.to == 0 || pair.to >= cluster.gpus()) continue;
    SampleRoute sample = {pair.what, 0, pair.to, router.Between(0, pair.to), {}};
    for (int vertex : sample.route.vertices) sample.path.push_back(router.Name(vertex));
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace pipescope::topology
