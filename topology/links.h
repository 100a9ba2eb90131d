// The directed links of a cluster, numbered densely, and what each carries: what flows share.
//
//   number        link                                     capacity           latency
//   2 g, 2 g + 1  GPU g to its NVLink switch, and back     nvlink             NVLink's; 0
//   then          GPU g to its NIC, and back               pcie               the NIC's
//   then          NIC to its switch, and back              nic                cable + switch; cable
//   then          lower to upper switch, and back          cables * rate      cable + switch
//
// A part that a cluster lacks takes no numbers. Links between switches come in the order of (lower,
// upper); parallel cables between two switches are one link. A link's latency includes that of the
// switch it leads to, so that a route's latency is the sum over its links. Faults lower a capacity,
// or make it 0 where the link is dead; they never change a number.
//
// Example: h800_2048_fat_tree has 2 * (2048 + 2048 + 2048 + 2048) = 16384 links.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "sim/base/units.h"
#include "topology/cluster.h"
#include "topology/fabric.h"
#include "topology/vertices.h"

namespace pipescope::topology {

using LinkId = int;

struct Link {
  int from = 0;  // vertices, as VertexIds counts
  int to = 0;
  Bandwidth capacity;  // all cables together; 0: dead
  Duration latency;
  int cables = 1;
};

class LinkTable {
 public:
  // `layout` is of the same cluster; nullptr where it has no fabric.
  LinkTable(const Cluster& cluster, const FabricLayout* layout);

  int size() const { return first_switch_link_ + 2 * static_cast<int>(between_.size()); }
  Link operator[](LinkId id) const;
  // The link from a vertex to its neighbour; -1 where they are not joined.
  LinkId Between(int from, int to) const;
  // The switches next to one, ascending.
  std::span<const int> Near(int number) const;

 private:
  struct Pair {
    int lower, upper, cables;
    Bandwidth capacity;
  };
  void AddSwitchLinks(const Cluster& cluster, const FabricLayout& layout);
  void ApplyFaults(const Cluster& cluster);
  Bandwidth NicRate(int nic) const;
  int IndexBetween(int a, int b) const;  // into between_; -1

  VertexIds ids_;
  Node node_;
  Duration cable_, switch_, nic_;
  int first_pcie_ = 0;
  int first_nic_ = 0;
  int first_switch_link_ = 0;
  std::vector<int> plugged_;            // a NIC's switch; -1
  std::map<int, Bandwidth> nic_rates_;  // of faulty ones
  std::vector<Pair> between_;
  std::vector<int> start_;  // of a switch in near_ and index_
  std::vector<int> near_;
  std::vector<int> index_;
};

}  // namespace pipescope::topology
