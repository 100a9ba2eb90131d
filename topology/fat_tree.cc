// Fat tree: one Clos tree joins all NICs. Two ways to plug them in:
//
//   by node            leaf = (node * nics + nic) / d          a leaf takes whole nodes
//   rail_optimized     leaf = (node / d) * nics + nic          a leaf takes one NIC of d nodes, so
//                                                              equal NICs of d nodes are one hop
//                                                              apart
//
// with d the ports that a leaf points down. The path is chosen by the destination alone (d-mod-k:
// spine = destination % spines), as InfiniBand's static routing does, so that all traffic to one
// NIC meets on one spine and permutations between leaves spread evenly.
#include <memory>

#include "topology/clos.h"
#include "topology/fabric.h"

namespace pipescope::topology {
namespace {

Result<ClosTree> Shape(const Cluster& cluster) {
  auto split = SplitLeafPorts(cluster.fabric);
  if (!split) return Fail(split.error());
  const int down = split->down;
  const int nics = cluster.node.nics;
  const int leaves = cluster.fabric.rail_optimized ? (cluster.nodes + down - 1) / down * nics
                                                   : (cluster.nodes * nics + down - 1) / down;
  return ShapeClos(cluster.fabric, leaves);
}

class FatTree : public FabricLayout {
 public:
  FatTree(const ClosTree& tree, int nics, bool rails) : tree_(tree), nics_(nics), rails_(rails) {}

  int switches() const override { return tree_.switches(); }
  SwitchLevel LevelOf(int number) const override {
    if (number < tree_.leaves) return SwitchLevel::kLeaf;
    return number < tree_.leaves + tree_.spines() ? SwitchLevel::kSpine : SwitchLevel::kCore;
  }
  void ForEachLink(const std::function<void(const SwitchLink&)>& visit) const override {
    tree_.ForEachLink([&](int lower, int upper, int cables) {
      visit({lower, upper, cables, tree_.KindOf(lower)});
    });
  }
  int SwitchOf(NicAt at) const override {
    const int down = tree_.leaf_ports.down;
    return rails_ ? at.node / down * nics_ + at.nic : (at.node * nics_ + at.nic) / down;
  }
  bool Joined(NicAt, NicAt) const override { return true; }
  int64_t PathCount(NicAt from, NicAt to) const override {
    return tree_.PathCount(SwitchOf(from), SwitchOf(to));
  }
  std::vector<int> Path(NicAt from, NicAt to, int64_t key) const override {
    return tree_.Path(SwitchOf(from), SwitchOf(to), key);
  }
  // Consecutive ports of a leaf have consecutive keys; on rails, so have the NICs of a node.
  int64_t DestinationKey(NicAt to) const override {
    return rails_ ? to.node + to.nic : to.node * nics_ + to.nic;
  }

 private:
  ClosTree tree_;
  int nics_;
  bool rails_;
};

void Read(Fields& fields, Fabric& fabric) {
  ReadTree(fields, fabric);
  fabric.rail_optimized = fields.Boolean("rail_optimized", false);
}

Status Check(const Cluster& cluster) {
  if (auto ok = CheckTree(cluster.fabric); !ok) return ok;
  if (cluster.fabric.rail_optimized && cluster.fabric.levels == 1 && cluster.node.nics > 1) {
    return Fail(Error{
        "1: rails are joined above their leaves; expected 2 or 3 levels", {}, "fabric.levels"});
  }
  auto tree = Shape(cluster);
  if (!tree) return Fail(tree.error());
  return {};
}

std::unique_ptr<FabricLayout> Make(const Cluster& cluster) {
  return std::make_unique<FatTree>(Shape(cluster).value(), cluster.node.nics,
                                   cluster.fabric.rail_optimized);
}

}  // namespace

const FabricEntry kFatTreeFabric = {FabricKind::kFatTree,
                                    "fat-tree",
                                    "one tree joins all NICs; optionally rail-optimized",
                                    Read,
                                    Check,
                                    Make};

}  // namespace pipescope::topology
