#include "topology/fabric.h"

#include <array>

namespace pipescope::topology {
namespace {

Status CheckNone(const Cluster& cluster) {
  if (cluster.nodes == 1) return {};
  return Fail(Error{"none: " + std::to_string(cluster.nodes) + " nodes need a fabric to join them",
                    {},
                    "fabric.kind"});
}

std::unique_ptr<FabricLayout> MakeNone(const Cluster&) { return nullptr; }

}  // namespace

const FabricEntry kNoFabric = {FabricKind::kNone, "none", "one node alone", CheckNone, MakeNone};

std::span<const FabricEntry* const> FabricEntries() {
  static const std::array<const FabricEntry*, 3> kEntries = {&kFatTreeFabric, &kMultiPlaneFabric,
                                                             &kNoFabric};
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

}  // namespace pipescope::topology
