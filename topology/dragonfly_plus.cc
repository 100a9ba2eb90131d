// Dragonfly+ (Shpiner et al., HiPINEB 2017; "Megafly"): a group is leaves and spines, every leaf
// joined to every spine; global cables lead from spines to spines of other groups.
//
//   leaf    switch_nics + group_spines * parallel_cables ports
//   spine   group_switches * parallel_cables + global_cables ports
//   path    leaf, spine | global cable | spine, leaf; one way for each cable between the two groups
//
// Example: 5 groups of 2 leaves with 4 NICs and 2 spines with 2 global cables join 40 NICs with 20
// switches, 20 leaf-spine cables and 10 global ones.
#include <fmt/format.h>

#include "topology/check.h"
#include "topology/fabric.h"
#include "topology/global_ports.h"

namespace pipescope::topology {
namespace {

GlobalPorts PortsOf(const Fabric& fabric) {
  return {fabric.groups, fabric.group_spines * fabric.global_cables};
}

// A group's switches are consecutive: its leaves, then its spines.
class DragonflyPlus : public FabricLayout {
 public:
  explicit DragonflyPlus(const Cluster& cluster)
      : fabric_(cluster.fabric),
        nics_(cluster.node.nics),
        group_(fabric_.group_switches + fabric_.group_spines),
        ports_(PortsOf(fabric_)),
        cut_(cluster.node.nic * static_cast<double>(ports_.Cut())) {}

  int switches() const override { return fabric_.groups * group_; }
  SwitchLevel LevelOf(int number) const override {
    return number % group_ < fabric_.group_switches ? SwitchLevel::kLeaf : SwitchLevel::kSpine;
  }
  void ForEachLink(const std::function<void(const SwitchLink&)>& visit) const override {
    for (int group = 0; group < fabric_.groups; ++group) {
      for (int leaf = 0; leaf < fabric_.group_switches; ++leaf) {
        for (int i = 0; i < fabric_.group_spines; ++i) {
          visit({group * group_ + leaf,
                 Spine(group, i),
                 fabric_.parallel_cables,
                 CableKind::kLeafSpine,
                 {}});
        }
      }
      for (int port = 0; port < ports_.ports; ++port) {
        const auto peer = ports_.PeerOf(group, port);
        if (peer.group <= group) continue;  // an empty port, or seen from the other end
        visit({SpineOf(group, port), SpineOf(peer.group, peer.port), 1, CableKind::kGlobal, {}});
      }
    }
  }
  int SwitchOf(NicAt at) const override {
    const int leaf = (at.node * nics_ + at.nic) / fabric_.switch_nics;
    return leaf / fabric_.group_switches * group_ + leaf % fabric_.group_switches;
  }
  bool Joined(NicAt, NicAt) const override { return true; }
  bool Direct() const override { return true; }
  int64_t PathCount(NicAt from, NicAt to) const override {
    const int a = SwitchOf(from);
    const int b = SwitchOf(to);
    if (a == b) return 1;
    if (a / group_ == b / group_) return fabric_.group_spines;
    return static_cast<int64_t>(ports_.Towards(a / group_, b / group_).size());
  }
  std::vector<int> Path(NicAt from, NicAt to, int64_t key) const override {
    const int a = SwitchOf(from);
    const int b = SwitchOf(to);
    if (a == b) return {a};
    const int from_group = a / group_;
    const int to_group = b / group_;
    if (from_group == to_group) {
      return {a, Spine(from_group, static_cast<int>(key % fabric_.group_spines)), b};
    }
    const auto ports = ports_.Towards(from_group, to_group);
    const int port = ports[static_cast<size_t>(key) % ports.size()];
    return {a, SpineOf(from_group, port), SpineOf(to_group, ports_.PeerOf(from_group, port).port),
            b};
  }
  int64_t DestinationKey(NicAt to) const override { return to.node * nics_ + to.nic; }
  std::optional<Bandwidth> Cut() const override { return cut_; }

 private:
  int Spine(int group, int index) const { return group * group_ + fabric_.group_switches + index; }
  int SpineOf(int group, int port) const { return Spine(group, port / fabric_.global_cables); }

  Fabric fabric_;
  int nics_;
  int group_;  // switches in one
  GlobalPorts ports_;
  Bandwidth cut_;
};

void Read(Fields& fields, Fabric& fabric) {
  kDragonflyFabric.read(fields, fabric);
  fabric.group_spines = static_cast<int>(fields.Integer("group_spines", 1, kMaxSwitchPorts));
}

Status Check(const Cluster& cluster) {
  const Fabric& fabric = cluster.fabric;
  const int leaf = fabric.switch_nics + fabric.group_spines * fabric.parallel_cables;
  if (auto ok = CheckPorts(fabric, leaf, "a leaf with its NICs and its cables to spines"); !ok) {
    return ok;
  }
  const int spine = fabric.group_switches * fabric.parallel_cables + fabric.global_cables;
  if (auto ok = CheckPorts(fabric, spine, "a spine with its leaves and its global cables"); !ok) {
    return ok;
  }
  if (auto ok = CheckGroups(fabric, PortsOf(fabric).ports); !ok) return ok;
  return CheckRoom(cluster, int64_t{fabric.groups} * fabric.group_switches);
}

std::unique_ptr<FabricLayout> Make(const Cluster& cluster) {
  return std::make_unique<DragonflyPlus>(cluster);
}

}  // namespace

const FabricEntry kDragonflyPlusFabric = {FabricKind::kDragonflyPlus,
                                          "dragonfly-plus",
                                          "groups of leaves and spines, joined by the spines",
                                          Read,
                                          Check,
                                          Make};

}  // namespace pipescope::topology
