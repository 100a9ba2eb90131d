// What a kind of fabric must say about itself; the seam for further kinds.
//
// A fabric is switches, numbered from 0, the cables between them, the switch each NIC is plugged
// into, and the equally short paths between two NICs, numbered from 0 so that a routing policy can
// pick. Each kind lives in a file of its own (fat_tree.cc, torus.cc, ...) and offers one
// FabricEntry, which the table in fabric.cc lists. No path is stored: a layout computes what it is
// asked for.
//
//   auto layout = MakeLayout(cluster);           // the cluster must have passed CheckCluster
//   layout->SwitchOf({0, 3});                    // the leaf that NIC 3 of node 0 is plugged into
//   layout->PathCount({0, 3}, {255, 3});         // 32: as many as there are spines
//   layout->Path({0, 3}, {255, 3}, 35);          // leaf, spine 35 % 32 of them, leaf
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/base/fields.h"
#include "sim/base/result.h"
#include "topology/cluster.h"

namespace pipescope::topology {

// Where a cable runs: up a tree, within a group of a dragonfly or along a torus, between groups.
enum class CableKind { kLeafSpine, kSpineCore, kLocal, kGlobal };

struct SwitchLink {
  int lower = 0;  // nearer to the NICs; of equals, either
  int upper = 0;
  int cables = 0;  // parallel
  CableKind kind = CableKind::kLeafSpine;
  Bandwidth rate = {};  // of each cable; 0: as the NIC
};

class FabricLayout {
 public:
  virtual ~FabricLayout() = default;
  virtual int switches() const = 0;
  virtual SwitchLevel LevelOf(int number) const = 0;
  virtual void ForEachLink(const std::function<void(const SwitchLink&)>& visit) const = 0;
  // -1 where the NIC is not plugged in.
  virtual int SwitchOf(NicAt at) const = 0;
  // Whether the fabric joins these two NICs of different nodes at all.
  virtual bool Joined(NicAt a, NicAt b) const = 0;
  // How many equally short ways join two NICs that are joined; at least 1.
  virtual int64_t PathCount(NicAt from, NicAt to) const = 0;
  // The switches of way `key` % PathCount, both ends included; always the same ones.
  virtual std::vector<int> Path(NicAt from, NicAt to, int64_t key) const = 0;
  // The key by which static routing sends everything to one NIC over the same upper switches.
  virtual int64_t DestinationKey(NicAt to) const = 0;
  // Whether switches that have NICs lie on the way of others' traffic, so that the shortest way may
  // be full while longer ones are empty (topology/detour.cc).
  virtual bool Direct() const { return false; }
  // What the cables carry from one half of the fabric to the other; nothing where that follows
  // from the leaves (trees).
  virtual std::optional<Bandwidth> Cut() const { return std::nullopt; }
  virtual std::string NameOf(int number) const;  // "leaf 3"
};

struct FabricEntry {
  FabricKind kind;
  const char* name;  // in topology files
  const char* summary;
  // Reads the kind's own fields; latencies are everyone's and read elsewhere.
  void (*read)(Fields& fields, Fabric& fabric);
  // Fails with the field of the file that is wrong.
  Status (*check)(const Cluster& cluster);
  // nullptr for no fabric. The cluster has passed the check.
  std::unique_ptr<FabricLayout> (*make)(const Cluster& cluster);
};

extern const FabricEntry kNoFabric;
extern const FabricEntry kFatTreeFabric;
extern const FabricEntry kMultiPlaneFabric;
extern const FabricEntry kDragonflyFabric;
extern const FabricEntry kDragonflyPlusFabric;
extern const FabricEntry kTorusFabric;
extern const FabricEntry kExplicitFabric;

// A fabric of switches comes first: a reader that is told a wrong kind goes on with it.
std::span<const FabricEntry* const> FabricEntries();
const FabricEntry& EntryOf(FabricKind kind);
std::unique_ptr<FabricLayout> MakeLayout(const Cluster& cluster);

const char* LevelName(SwitchLevel level);  // "leaf", "spine", "core", "router"

// The fields of trees, and checks that several kinds share.
void ReadTree(Fields& fields, Fabric& fabric);
Status CheckTree(const Fabric& fabric);
Status CheckPorts(const Fabric& fabric, int used, const char* what);
Status CheckGroups(const Fabric& fabric, int global_ports);  // of one group
Status CheckRoom(const Cluster& cluster, int64_t switches);

}  // namespace pipescope::topology
