#include "topology/graph.h"

#include <algorithm>
#include <vector>

#include "topology/fabric.h"
#include "topology/links.h"

namespace pipescope::topology {
namespace {

VertexKind KindOf(SwitchLevel level) {
  switch (level) {
    case SwitchLevel::kLeaf:
      return VertexKind::kLeaf;
    case SwitchLevel::kSpine:
      return VertexKind::kSpine;
    case SwitchLevel::kCore:
      return VertexKind::kCore;
    case SwitchLevel::kRouter:
      return VertexKind::kRouter;
  }
  return VertexKind::kLeaf;
}

void NameVertices(const Cluster& cluster, const FabricLayout* layout, Graph& graph) {
  const VertexIds ids(cluster);
  const auto at = [&](int id) -> Vertex& { return graph[static_cast<size_t>(id)]; };
  for (int i = 0; i < cluster.gpus(); ++i) at(ids.gpu(i)) = {VertexKind::kGpu, i, {}};
  for (int i = 0; i < ids.nvlink_switches(); ++i) {
    at(ids.nvlink_switch(i)) = {VertexKind::kNvlinkSwitch, i, cluster.node.nvlink_latency};
  }
  for (int i = 0; i < ids.nics(); ++i) {
    at(ids.nic(0, i)) = {VertexKind::kNic, i, cluster.fabric.nic_latency};
  }
  for (int i = 0; layout != nullptr && i < layout->switches(); ++i) {
    at(ids.fabric_switch(i)) = {KindOf(layout->LevelOf(i)), i, cluster.fabric.switch_latency};
  }
}

Bandwidth TreeBisection(const Cluster& cluster, const FabricLayout& layout) {
  std::vector<int64_t> down(static_cast<size_t>(layout.switches()));
  std::vector<int64_t> up(down.size());
  for (int n = 0; n < cluster.nodes; ++n) {
    for (int i = 0; i < cluster.node.nics; ++i) {
      ++down[static_cast<size_t>(layout.SwitchOf({n, i}))];
    }
  }
  layout.ForEachLink(
      [&](const SwitchLink& link) { up[static_cast<size_t>(link.lower)] += link.cables; });
  int64_t cables = 0;
  for (size_t i = 0; i < down.size(); ++i)
    cables += up[i] == 0 ? down[i] : std::min(down[i], up[i]);
  return cluster.node.nic * (static_cast<double>(cables) / 2);
}

}  // namespace

Graph BuildGraph(const Cluster& cluster) {
  const auto layout = MakeLayout(cluster);
  const VertexIds ids(cluster);
  const int switches = layout == nullptr ? 0 : layout->switches();
  Graph graph(static_cast<size_t>(ids.fabric_switch(switches)));
  NameVertices(cluster, layout.get(), graph);
  const LinkTable links(cluster, layout.get());
  for (LinkId id = 0; id < links.size(); id += 2) {
    const Link link = links[id];
    if (!(link.capacity.value() > 0)) continue;
    const bool cable = link.from >= ids.nic(0, 0);  // latency sits on cables and in vertices here
    add_edge(static_cast<size_t>(link.from), static_cast<size_t>(link.to),
             {link.capacity, cable ? cluster.fabric.link_latency : Duration(), link.cables}, graph);
  }
  return graph;
}

Counts CountParts(const Cluster& cluster) {
  const VertexIds ids(cluster);
  Counts counts;
  counts.gpus = cluster.gpus();
  counts.nvlink_switches = ids.nvlink_switches();
  counts.nics = ids.nics();
  counts.nic_cables = ids.nics();
  const auto layout = MakeLayout(cluster);
  if (layout == nullptr) return counts;
  for (int i = 0; i < layout->switches(); ++i) {
    const SwitchLevel level = layout->LevelOf(i);
    ++(level == SwitchLevel::kLeaf    ? counts.leaves
       : level == SwitchLevel::kSpine ? counts.spines
       : level == SwitchLevel::kCore  ? counts.cores
                                      : counts.routers);
  }
  layout->ForEachLink([&](const SwitchLink& link) {
    counts.switch_cables += link.cables;
    (link.kind == CableKind::kLeafSpine   ? counts.leaf_spine_cables
     : link.kind == CableKind::kSpineCore ? counts.spine_core_cables
     : link.kind == CableKind::kLocal     ? counts.local_cables
                                          : counts.global_cables) += link.cables;
  });
  const Bandwidth half = cluster.node.nic * (static_cast<double>(counts.nics) / 2);
  const auto cut = layout->Cut();
  counts.bisection = cut ? std::min(*cut, half) : TreeBisection(cluster, *layout);
  return counts;
}

}  // namespace pipescope::topology
