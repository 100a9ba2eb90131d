#include "topology/graph.h"

#include <algorithm>
#include <vector>

#include "topology/fabric.h"

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

void AddNodeEdges(const Cluster& cluster, Graph& graph) {
  const VertexIds ids(cluster);
  const Node& node = cluster.node;
  for (int gpu = 0; gpu < cluster.gpus(); ++gpu) {
    const auto vertex = static_cast<size_t>(ids.gpu(gpu));
    const int n = gpu / node.gpus;
    if (node.gpus > 1) {
      add_edge(vertex, static_cast<size_t>(ids.nvlink_switch(n)), {node.nvlink, {}, 1}, graph);
    }
    if (ids.nics() == 0) continue;
    const int nic = gpu % node.gpus / (node.gpus / node.nics);
    add_edge(vertex, static_cast<size_t>(ids.nic(n, nic)), {node.pcie, {}, 1}, graph);
  }
}

void AddFabricEdges(const Cluster& cluster, const FabricLayout& layout, Graph& graph) {
  const VertexIds ids(cluster);
  const Duration cable = cluster.fabric.link_latency;
  for (int n = 0; n < cluster.nodes; ++n) {
    for (int i = 0; i < cluster.node.nics; ++i) {
      const int leaf = ids.fabric_switch(layout.SwitchOf({n, i}));
      add_edge(static_cast<size_t>(ids.nic(n, i)), static_cast<size_t>(leaf),
               {cluster.node.nic, cable, 1}, graph);
    }
  }
  layout.ForEachLink([&](const SwitchLink& link) {
    add_edge(static_cast<size_t>(ids.fabric_switch(link.lower)),
             static_cast<size_t>(ids.fabric_switch(link.upper)),
             {cluster.node.nic * link.cables, cable, link.cables}, graph);
  });
}

}  // namespace

VertexIds::VertexIds(const Cluster& cluster)
    : gpus_(cluster.gpus()),
      nvlink_switches_(cluster.node.gpus > 1 ? cluster.nodes : 0),
      nics_(cluster.fabric.kind == FabricKind::kNone ? 0 : cluster.node.nics),
      all_nics_(cluster.nodes * nics_) {}

Graph BuildGraph(const Cluster& cluster) {
  const auto layout = MakeLayout(cluster);
  const VertexIds ids(cluster);
  const int switches = layout == nullptr ? 0 : layout->switches();
  Graph graph(static_cast<size_t>(ids.fabric_switch(switches)));
  NameVertices(cluster, layout.get(), graph);
  AddNodeEdges(cluster, graph);
  if (layout != nullptr) AddFabricEdges(cluster, *layout, graph);
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
                                      : counts.cores);
  }
  std::vector<int64_t> down(static_cast<size_t>(layout->switches()));
  std::vector<int64_t> up(down.size());
  for (int n = 0; n < cluster.nodes; ++n) {
    for (int i = 0; i < cluster.node.nics; ++i) {
      ++down[static_cast<size_t>(layout->SwitchOf({n, i}))];
    }
  }
  layout->ForEachLink([&](const SwitchLink& link) {
    counts.switch_cables += link.cables;
    up[static_cast<size_t>(link.lower)] += link.cables;
  });
  int64_t cables = 0;
  for (size_t i = 0; i < down.size(); ++i)
    cables += up[i] == 0 ? down[i] : std::min(down[i], up[i]);
  counts.bisection = cluster.node.nic * (static_cast<double>(cables) / 2);
  return counts;
}

}  // namespace pipescope::topology
