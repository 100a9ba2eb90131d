// Topology files: a cluster as YAML or JSON. An unknown name is an error, and so is a quantity
// without its unit. All rates are per direction.
//
//   name: two-nodes
//   source: the vendor's data sheet        # where the figures come from, for the reports
//   nodes: 2
//   gpu:
//     name: H100 SXM
//     sms: 132
//     bf16: 989.4 TFLOPS                   # dense, all SMs
//     fp8: 1978.9 TFLOPS                   # optional: GPUs without FP8
//     fp32: 66.9 TFLOPS                    # vector units
//     memory: 81559 MiB
//     memory_bandwidth: 3.35 TB/s
//   node:
//     gpus: 8
//     nvlink: 450 GB/s                     # per GPU, achievable; optional where gpus is 1
//     nvlink_nominal: 450 GB/s             # optional, as sold
//     nvlink_latency: 3.33 us              # optional where gpus is 1
//     nics: 8                              # divides gpus; 0 where kind is none
//     nic: 400 Gbps                        # per NIC
//     pcie: 64 GB/s                        # per GPU
//   fabric:
//     kind: fat-tree                       # none, or one of those below
//     ...                                  # the kind's own fields
//     link_latency: 150 ns                 # one cable
//     switch_latency: 300 ns               # one switch
//     nic_latency: 1.1 us                  # one NIC, from memory to the wire
//   faults: {dead_nics: ["0.3"]}           # optional; see faults.h
//
// The kinds' own fields; ports and cables are of the NIC's rate:
//
//   fat-tree        levels: 2              # of switches, 1 to 3
//                   switch_ports: 64
//                   oversubscription: 1    # optional: a leaf's rate down over its rate up
//                   rail_optimized: true   # optional: equal NICs share leaves
//   multi-plane     levels, switch_ports, oversubscription, planes: 8
//   dragonfly       groups: 511, group_switches: 32, switch_nics: 16, global_cables: 16,
//                   switch_ports: 64, parallel_cables: 1 (optional: in a group)
//   dragonfly-plus  as dragonfly, where group_switches are the leaves and global_cables are a
//                   spine's; group_spines: 16
//   torus           dimensions: [4, 4, 4], switch_nics: 8, parallel_cables: 1 (optional)
//   explicit        switches:              # cable by cable, each cable once
//                     - name: leaf-1
//                       level: leaf        # leaf, spine, core or router
//                       nics: ["0-15.0", "16.0-7"]          # node.nic; either may be a range
//                       cables: [spine-1 x2, "spine-2 at 200 Gbps"]
#pragma once

#include <span>
#include <string>
#include <vector>

#include "sim/base/document.h"
#include "sim/base/result.h"
#include "topology/cluster.h"

namespace pipescope::topology {

// A file's path or the name of a shipped topology, such as "h800_2048_fat_tree". A name without
// '/' or '.' is looked up among the shipped ones first.
Result<Cluster> LoadCluster(const std::string& path_or_name);

// The same in two steps, for callers that change values of the document in between.
Result<Document> LoadClusterDocument(const std::string& path_or_name);
Result<Cluster> ParseCluster(const Document& document);

// The names LoadCluster knows, sorted.
std::vector<std::string> ShippedClusters();

}  // namespace pipescope::topology
