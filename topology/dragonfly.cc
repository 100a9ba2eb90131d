// Dragonfly (Kim, Dally, Scott, Abts, ISCA 2008): groups of routers, every two routers of a group
// joined, every two groups joined by one or more global cables.
//
//   router   switch_nics (p) + (group_switches - 1) * parallel_cables + global_cables (h) ports
//   path     minimal: at most router, router | global cable | router, router; of the cables between
//            the two groups those count that need the fewest routers
//
// Example (ISCA 2025, arXiv 2505.09343, Table 3, DF): 511 groups of 32 routers with 16 NICs and 16
// global cables on 64-port switches: 261632 endpoints, 16352 switches, 253456 local and 130816
// global cables, 384272 together.
#include <fmt/format.h>

#include <algorithm>

#include "topology/check.h"
#include "topology/fabric.h"
#include "topology/global_ports.h"

namespace pipescope::topology {
namespace {

GlobalPorts PortsOf(const Fabric& fabric) {
  return {fabric.groups, fabric.group_switches * fabric.global_cables};
}

class Dragonfly : public FabricLayout {
 public:
  explicit Dragonfly(const Cluster& cluster)
      : fabric_(cluster.fabric),
        nics_(cluster.node.nics),
        ports_(PortsOf(fabric_)),
        cut_(cluster.node.nic * static_cast<double>(ports_.Cut())) {}

  int switches() const override { return fabric_.groups * fabric_.group_switches; }
  SwitchLevel LevelOf(int) const override { return SwitchLevel::kRouter; }
  void ForEachLink(const std::function<void(const SwitchLink&)>& visit) const override {
    const int a = fabric_.group_switches;
    for (int group = 0; group < fabric_.groups; ++group) {
      for (int i = 0; i < a; ++i) {
        for (int j = i + 1; j < a; ++j) {
          visit({group * a + i, group * a + j, fabric_.parallel_cables, CableKind::kLocal, {}});
        }
      }
      for (int port = 0; port < ports_.ports; ++port) {
        const auto peer = ports_.PeerOf(group, port);
        if (peer.group <= group) continue;  // an empty port, or seen from the other end
        visit({Router(group, port), Router(peer.group, peer.port), 1, CableKind::kGlobal, {}});
      }
    }
  }
  int SwitchOf(NicAt at) const override { return (at.node * nics_ + at.nic) / fabric_.switch_nics; }
  bool Joined(NicAt, NicAt) const override { return true; }
  bool Direct() const override { return true; }
  int64_t PathCount(NicAt from, NicAt to) const override {
    return static_cast<int64_t>(Shortest(SwitchOf(from), SwitchOf(to)).size());
  }
  std::vector<int> Path(NicAt from, NicAt to, int64_t key) const override {
    const auto paths = Shortest(SwitchOf(from), SwitchOf(to));
    return paths[static_cast<size_t>(key) % paths.size()];
  }
  int64_t DestinationKey(NicAt to) const override { return to.node * nics_ + to.nic; }
  std::optional<Bandwidth> Cut() const override { return cut_; }

 private:
  int Router(int group, int port) const {
    return group * fabric_.group_switches + port / fabric_.global_cables;
  }
  std::vector<std::vector<int>> Shortest(int from, int to) const {
    if (from == to) return {{from}};
    const int from_group = from / fabric_.group_switches;
    const int to_group = to / fabric_.group_switches;
    if (from_group == to_group) return {{from, to}};
    std::vector<std::vector<int>> best;
    for (int port : ports_.Towards(from_group, to_group)) {
      const auto peer = ports_.PeerOf(from_group, port);
      std::vector<int> path = {from, Router(from_group, port), Router(to_group, peer.port), to};
      path.erase(std::unique(path.begin(), path.end()), path.end());
      if (!best.empty() && path.size() > best.front().size()) continue;
      if (!best.empty() && path.size() < best.front().size()) best.clear();
      best.push_back(std::move(path));
    }
    return best;
  }

  Fabric fabric_;
  int nics_;
  GlobalPorts ports_;
  Bandwidth cut_;
};

void Read(Fields& fields, Fabric& fabric) {
  fabric.switch_ports = static_cast<int>(fields.Integer("switch_ports", 2, kMaxSwitchPorts));
  fabric.groups = static_cast<int>(fields.Integer("groups", 1, kMaxSwitches));
  fabric.group_switches = static_cast<int>(fields.Integer("group_switches", 1, kMaxSwitchPorts));
  fabric.switch_nics = static_cast<int>(fields.Integer("switch_nics", 1, kMaxSwitchPorts));
  fabric.global_cables = static_cast<int>(fields.Integer("global_cables", 1, kMaxSwitchPorts));
  fabric.parallel_cables =
      static_cast<int>(fields.Integer("parallel_cables", 1, kMaxSwitchPorts, 1));
}

Status Check(const Cluster& cluster) {
  const Fabric& fabric = cluster.fabric;
  const int64_t local = int64_t{fabric.group_switches - 1} * fabric.parallel_cables;
  const int64_t used = fabric.switch_nics + local + fabric.global_cables;
  const auto what = fmt::format("a router with {} NICs, {} cables in its group and {} global ones",
                                fabric.switch_nics, local, fabric.global_cables);
  if (auto ok =
          CheckPorts(fabric, static_cast<int>(std::min<int64_t>(used, 1 << 30)), what.c_str());
      !ok) {
    return ok;
  }
  if (auto ok = CheckGroups(fabric, PortsOf(fabric).ports); !ok) return ok;
  return CheckRoom(cluster, int64_t{fabric.groups} * fabric.group_switches);
}

std::unique_ptr<FabricLayout> Make(const Cluster& cluster) {
  return std::make_unique<Dragonfly>(cluster);
}

}  // namespace

const FabricEntry kDragonflyFabric = {FabricKind::kDragonfly,
                                      "dragonfly",
                                      "groups of routers, all joined to one another",
                                      Read,
                                      Check,
                                      Make};

}  // namespace pipescope::topology
