// A cluster as its topology file describes it: one kind of GPU, one kind of node, one fabric.
//
// Rates are per direction. `nominal` rates are what the hardware is sold with; `achievable` ones,
// where the file gives them, what a well-made transfer reaches (NVLink of the H800: 200 GB/s
// nominal, 160 achievable). Models use the achievable rate.
//
// Example (topology/h800_2048_fat_tree.yaml): 256 nodes x 8 H800; NVLink 160 GB/s and one
// 50 GB/s NIC per GPU.
#pragma once

#include <string>

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

enum class FabricKind { kNone, kFatTree, kMultiPlane };

struct Fabric {
  FabricKind kind = FabricKind::kNone;
  int levels = 0;               // of switches
  int planes = 1;               // kMultiPlane: NIC i of every node is in plane i % planes
  bool rail_optimized = false;  // kFatTree: NIC i of neighbouring nodes shares a leaf, not the node
  int switch_ports = 0;         // ports per switch, each of the NIC's rate
  double oversubscription = 1;  // leaf: down bandwidth / up bandwidth
  Duration link_latency;        // one cable
  Duration switch_latency;      // one switch
  Duration nic_latency;         // one NIC, from GPU memory to the wire
};

struct Cluster {
  std::string name;
  std::string source;  // where the figures come from, as the file says
  Gpu gpu;
  Node node;
  int nodes = 0;
  Fabric fabric;

  int gpus() const { return nodes * node.gpus; }
};

}  // namespace pipescope::topology
