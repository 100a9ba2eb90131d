// A cluster as its topology file describes it: one kind of GPU, one kind of node, one fabric.
//
// Rates are per direction. `nominal` rates are what the hardware is sold with; `achievable` ones,
// where the file gives them, what a well-made transfer reaches (NVLink of the H800: 200 GB/s
// nominal, 160 achievable). Models use the achievable rate.
//
// Example (topology/h800_2048_fat_tree.yaml): 256 nodes x 8 H800; NVLink 160 GB/s and one
// 50 GB/s NIC per GPU.
#pragma once

#include <algorithm>
#include <compare>
#include <string>
#include <vector>

#include "sim/base/units.h"

namespace pipescope::topology {

struct Gpu {
  std::string name;
  int sms = 0;
  FlopRate bf16;  // dense matrix peak, all SMs
  FlopRate fp8;   // dense matrix peak, all SMs; 0 where the GPU has none
  FlopRate fp32;  // vector peak, all SMs
  Bytes memory;
  Bandwidth memory_bandwidth;  // HBM, nominal
};

struct Node {
  int gpus = 0;
  Bandwidth nvlink;          // per GPU and direction, achievable
  Bandwidth nvlink_nominal;  // per GPU and direction, as sold; 0 where the file does not say
  Duration nvlink_latency;   // GPU to GPU through the switch
  int nics = 0;              // GPUs share NICs evenly; nics == gpus on most machines
  Bandwidth nic;             // per NIC and direction, nominal
  Bandwidth pcie;            // per GPU and direction, host or NIC side
};

// What a GPU's part of the NICs carries, and PCIe before them where that is less: each direction.
// Example: 400 GB/s of NICs for 8 GPUs and PCIe of 32 GB/s: 32 GB/s a GPU, not 50.
inline Bandwidth NicShare(const Node& node) {
  return Bandwidth(node.nic.value() * node.nics / node.gpus);
}
inline Bandwidth FabricRate(const Node& node, double oversubscription = 1) {
  const double nics = NicShare(node).value() / std::max(1.0, oversubscription);
  return Bandwidth(node.pcie.value() > 0 ? std::min(nics, node.pcie.value()) : nics);
}

enum class FabricKind {
  kNone,
  kFatTree,
  kMultiPlane,
  kDragonfly,
  kDragonflyPlus,
  kTorus,
  kExplicit
};

// A router is a switch of a fabric without levels, as a torus or a dragonfly has.
enum class SwitchLevel { kLeaf, kSpine, kCore, kRouter };

struct NicAt {
  int node = 0;
  int nic = 0;

  auto operator<=>(const NicAt&) const = default;
};

// kExplicit: a switch as the file lists it.
struct CabledSwitch {
  struct Up {
    int to = 0;  // another switch, as an index into Fabric::cabled
    int cables = 1;
    Bandwidth rate;  // of each; 0: as the NIC
  };
  std::string name;
  SwitchLevel level = SwitchLevel::kLeaf;
  std::vector<NicAt> nics;
  std::vector<Up> up;
};

// Which fields a kind uses is said where topology files are described (load.h).
struct Fabric {
  FabricKind kind = FabricKind::kNone;
  int levels = 0;               // of switches
  int planes = 1;               // kMultiPlane: NIC i of every node is in plane i % planes
  bool rail_optimized = false;  // kFatTree: NIC i of neighbouring nodes shares a leaf, not the node
  int switch_ports = 0;         // ports per switch, each of the NIC's rate
  double oversubscription = 1;  // leaf: down bandwidth / up bandwidth
  int groups = 0;               // kDragonfly, kDragonflyPlus
  int group_switches = 0;       // the same: switches with NICs in a group
  int group_spines = 0;         // kDragonflyPlus: switches without NICs in a group
  int global_cables = 0;        // the same two: from one switch (spine) to other groups
  int switch_nics = 0;          // kDragonfly, kDragonflyPlus, kTorus: NICs a switch
  std::vector<int> dimensions;  // kTorus: switches along each
  int parallel_cables = 1;      // kDragonfly, kDragonflyPlus: within a group; kTorus: everywhere
  std::vector<CabledSwitch> cabled;  // kExplicit
  Duration link_latency;             // one cable
  Duration switch_latency;           // one switch
  Duration nic_latency;              // one NIC, from GPU memory to the wire
};

// What is broken or slow. Switches count as the fabric numbers them.
struct Faults {
  struct SlowNic {
    NicAt at;
    Bandwidth rate;
  };
  struct Cable {
    int a = 0;  // two switches that are joined
    int b = 0;
    double left = 0;  // of the bandwidth between them; 0: dead
  };
  std::vector<NicAt> dead_nics;
  std::vector<SlowNic> slow_nics;
  std::vector<int> dead_switches;
  std::vector<Cable> cables;

  bool empty() const {
    return dead_nics.empty() && slow_nics.empty() && dead_switches.empty() && cables.empty();
  }
};

struct Cluster {
  std::string name;
  std::string source;  // where the figures come from, as the file says
  Gpu gpu;
  Node node;
  int nodes = 0;
  Fabric fabric;
  Faults faults;
  // Fields of gpu and node that the file gives as `unknown`, such as "gpu.sms"; their values are 0.
  std::vector<std::string> unknown;

  int gpus() const { return nodes * node.gpus; }
};

}  // namespace pipescope::topology
