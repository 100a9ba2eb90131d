// Multi-plane fat tree: NIC i of every node is in plane i % planes, each plane is a Clos tree of
// its own, and no cable joins two planes. Traffic between planes is forwarded inside a node.
//
// Example (ISCA 2025, arXiv 2505.09343, section 5.1 and Table 3): 8 planes of two levels with
// 64-port switches join 8 * 2048 = 16384 GPUs with 768 switches and 16384 cables between them; 256
// nodes take 8 leaves and 4 spines a plane, 96 switches in all.
#include <fmt/format.h>

#include <memory>

#include "topology/check.h"
#include "topology/clos.h"
#include "topology/fabric.h"

namespace pipescope::topology {
namespace {

Result<ClosTree> Shape(const Cluster& cluster) {
  auto split = SplitLeafPorts(cluster.fabric);
  if (!split) return Fail(split.error());
  const int endpoints = cluster.nodes * (cluster.node.nics / cluster.fabric.planes);
  return ShapeClos(cluster.fabric, (endpoints + split->down - 1) / split->down);
}

class MultiPlane : public FabricLayout {
 public:
  MultiPlane(const ClosTree& tree, int planes, int nics)
      : tree_(tree), planes_(planes), nics_per_plane_(nics / planes) {}

  int switches() const override { return planes_ * tree_.switches(); }
  SwitchLevel LevelOf(int number) const override {
    const int inside = number % tree_.switches();
    if (inside < tree_.leaves) return SwitchLevel::kLeaf;
    return inside < tree_.leaves + tree_.spines() ? SwitchLevel::kSpine : SwitchLevel::kCore;
  }
  void ForEachLink(const std::function<void(const SwitchLink&)>& visit) const override {
    for (int plane = 0; plane < planes_; ++plane) {
      const int first = plane * tree_.switches();
      tree_.ForEachLink([&](int lower, int upper, int cables) {
        visit({first + lower, first + upper, cables, tree_.KindOf(lower)});
      });
    }
  }
  int SwitchOf(NicAt at) const override {
    return at.nic % planes_ * tree_.switches() + Endpoint(at) / tree_.leaf_ports.down;
  }
  bool Joined(NicAt a, NicAt b) const override { return a.nic % planes_ == b.nic % planes_; }
  int64_t PathCount(NicAt from, NicAt to) const override {
    const int down = tree_.leaf_ports.down;
    return tree_.PathCount(Endpoint(from) / down, Endpoint(to) / down);
  }
  std::vector<int> Path(NicAt from, NicAt to, int64_t key) const override {
    const int down = tree_.leaf_ports.down;
    std::vector<int> path = tree_.Path(Endpoint(from) / down, Endpoint(to) / down, key);
    for (int& number : path) number += to.nic % planes_ * tree_.switches();
    return path;
  }
  int64_t DestinationKey(NicAt to) const override { return Endpoint(to); }

 private:
  int Endpoint(NicAt at) const { return at.node * nics_per_plane_ + at.nic / planes_; }

  ClosTree tree_;
  int planes_;
  int nics_per_plane_;
};

void Read(Fields& fields, Fabric& fabric) {
  ReadTree(fields, fabric);
  fabric.planes = static_cast<int>(fields.Integer("planes", 1, kMaxGpusPerNode));
}

Status Check(const Cluster& cluster) {
  if (auto ok = CheckTree(cluster.fabric); !ok) return ok;
  const int nics = cluster.node.nics;
  const int planes = cluster.fabric.planes;
  if (nics % planes != 0) {
    return Fail(Error{fmt::format("{} planes do not divide the {} NICs of a node", planes, nics),
                      {},
                      "fabric.planes"});
  }
  auto tree = Shape(cluster);
  if (!tree) return Fail(tree.error());
  return {};
}

std::unique_ptr<FabricLayout> Make(const Cluster& cluster) {
  return std::make_unique<MultiPlane>(Shape(cluster).value(), cluster.fabric.planes,
                                      cluster.node.nics);
}

}  // namespace

const FabricEntry kMultiPlaneFabric = {FabricKind::kMultiPlane,
                                       "multi-plane",
                                       "a tree for each plane; planes meet only inside nodes",
                                       Read,
                                       Check,
                                       Make};

}  // namespace pipescope::topology
