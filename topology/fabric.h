// What a kind of fabric must say about itself; the seam for further kinds.
//
// A fabric is switches, numbered from 0, the cables between them, the switch each NIC is plugged
// into, and a rule that picks the path between two NICs. Each kind lives in a file of its own
// (fat_tree.cc, multi_plane.cc) and offers one FabricEntry, which the table in fabric.cc lists.
// Nothing is stored a switch or a pair: a layout computes what it is asked for.
//
//   auto layout = MakeLayout(cluster);           // the cluster must have passed CheckCluster
//   layout->SwitchOf({0, 3});                    // the leaf that NIC 3 of node 0 is plugged into
//   layout->Path({0, 3}, {255, 3});              // leaf, spine, leaf
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "topology/cluster.h"

namespace pipescope::topology {

enum class SwitchLevel { kLeaf, kSpine, kCore };

struct NicAt {
  int node = 0;
  int nic = 0;
};

struct SwitchLink {
  int lower = 0;  // nearer to the NICs
  int upper = 0;
  int cables = 0;  // parallel, each of the NIC's rate
};

class FabricLayout {
 public:
  virtual ~FabricLayout() = default;
  virtual int switches() const = 0;
  virtual SwitchLevel LevelOf(int number) const = 0;
  virtual void ForEachLink(const std::function<void(const SwitchLink&)>& visit) const = 0;
  virtual int SwitchOf(NicAt at) const = 0;
  // Whether the fabric joins these two NICs of different nodes at all.
  virtual bool Joined(int nic_a, int nic_b) const = 0;
  // The switches between two NICs that are joined, both ends included; always the same ones.
  virtual std::vector<int> Path(NicAt from, NicAt to) const = 0;
};

struct FabricEntry {
  FabricKind kind;
  const char* name;  // in topology files
  const char* summary;
  // Fails with the field of the file that is wrong.
  Status (*check)(const Cluster& cluster);
  // nullptr for no fabric. The cluster has passed the check.
  std::unique_ptr<FabricLayout> (*make)(const Cluster& cluster);
};

extern const FabricEntry kNoFabric;
extern const FabricEntry kFatTreeFabric;
extern const FabricEntry kMultiPlaneFabric;

// A fabric of switches comes first: a reader that is told a wrong kind goes on with it.
std::span<const FabricEntry* const> FabricEntries();
const FabricEntry& EntryOf(FabricKind kind);
std::unique_ptr<FabricLayout> MakeLayout(const Cluster& cluster);

}  // namespace pipescope::topology
