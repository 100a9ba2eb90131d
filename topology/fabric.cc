#include "topology/fabric.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "topology/check.h"

namespace pipescope::topology {
namespace {

Status CheckNone(const Cluster& cluster) {
  if (cluster.nodes == 1) return {};
  return Fail(Error{"none: " + std::to_string(cluster.nodes) + " nodes need a fabric to join them",
                    {},
                    "fabric.kind"});
}

void ReadNone(Fields&, Fabric&) {}

std::unique_ptr<FabricLayout> MakeNone(const Cluster&) { return nullptr; }

tl::unexpected<Error> FailAt(const char* field, std::string message) {
  return Fail(Error{std::move(message), {}, field});
}

}  // namespace

const FabricEntry kNoFabric = {FabricKind::kNone, "none",    "one node alone",
                               ReadNone,          CheckNone, MakeNone};

std::span<const FabricEntry* const> FabricEntries() {
  static const std::array<const FabricEntry*, 7> kEntries = {
      &kFatTreeFabric, &kMultiPlaneFabric, &kDragonflyFabric, &kDragonflyPlusFabric,
      &kTorusFabric,   &kExplicitFabric,   &kNoFabric};
  return kEntries;
}

const FabricEntry& EntryOf(FabricKind kind) {
  for (const FabricEntry* entry : FabricEntries()) {
    if (entry->kind == kind) return *entry;
  }
  PIPESCOPE_CHECK(false && "a kind of fabric is not in the table");
  return kNoFabric;
}

std::unique_ptr<FabricLayout> MakeLayout(const Cluster& cluster) {
  const FabricEntry& entry = EntryOf(cluster.fabric.kind);
  PIPESCOPE_CHECK(entry.check(cluster).has_value());
  return entry.make(cluster);
}

const char* LevelName(SwitchLevel level) {
  switch (level) {
    case SwitchLevel::kLeaf:
      return "leaf";
    case SwitchLevel::kSpine:
      return "spine";
    case SwitchLevel::kCore:
      return "core";
    case SwitchLevel::kRouter:
      return "router";
  }
  return "switch";
}

std::string FabricLayout::NameOf(int number) const {
  return fmt::format("{} {}", LevelName(LevelOf(number)), number);
}

void ReadTree(Fields& fields, Fabric& fabric) {
  fabric.levels = static_cast<int>(fields.Integer("levels", 1, 3));
  fabric.switch_ports = static_cast<int>(fields.Integer("switch_ports", 2, kMaxSwitchPorts));
  fabric.oversubscription = fields.Number("oversubscription", 1, kMaxSwitchPorts, 1);
}

Status CheckTree(const Fabric& fabric) {
  if (fabric.levels < 1 || fabric.levels > 3) {
    return FailAt("fabric.levels", fmt::format("{}: expected from 1 to 3", fabric.levels));
  }
  if (fabric.switch_ports < 2 || fabric.switch_ports > kMaxSwitchPorts) {
    return FailAt("fabric.switch_ports",
                  fmt::format("{}: expected from 2 to {}", fabric.switch_ports, kMaxSwitchPorts));
  }
  if (!(fabric.oversubscription >= 1) || !std::isfinite(fabric.oversubscription)) {
    return FailAt("fabric.oversubscription",
                  fmt::format("{:g}: expected at least 1", fabric.oversubscription));
  }
  if (fabric.planes < 1) {
    return FailAt("fabric.planes", fmt::format("{}: expected at least 1", fabric.planes));
  }
  return {};
}

Status CheckPorts(const Fabric& fabric, int used, const char* what) {
  if (used <= fabric.switch_ports) return {};
  return FailAt("fabric.switch_ports",
                fmt::format("{}: {} takes {}", fabric.switch_ports, what, used));
}

Status CheckGroups(const Fabric& fabric, int global_ports) {
  const int64_t switches = int64_t{fabric.groups} * (fabric.group_switches + fabric.group_spines);
  if (switches > kMaxSwitches) {
    return FailAt("fabric.groups",
                  fmt::format("{} groups are {} switches; at most {} are supported", fabric.groups,
                              switches, kMaxSwitches));
  }
  if (fabric.groups - 1 <= global_ports) return {};
  return FailAt("fabric.groups",
                fmt::format("{}: the {} global cables of a group reach at most {} groups",
                            fabric.groups, global_ports, global_ports + 1));
}

Status CheckRoom(const Cluster& cluster, int64_t switches) {
  const int64_t nics = int64_t{cluster.nodes} * cluster.node.nics;
  const int64_t room = switches * cluster.fabric.switch_nics;
  if (nics <= room) return {};
  return FailAt("fabric.switch_nics",
                fmt::format("{} NICs on each of {} switches are {}; this cluster has {} ({} nodes "
                            "of {})",
                            cluster.fabric.switch_nics, switches, room, nics, cluster.nodes,
                            cluster.node.nics));
}

}  // namespace pipescope::topology
