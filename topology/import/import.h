// Files that machines and networks write about themselves, as topology files.
//
//   one node    nccl (XML), nvidia-smi (the matrix of `topo -m`)
//   a fabric    ibnetdiscover
//
// A node and a fabric combine into a cluster: a node's file with the fabric of another topology, or
// a fabric's file with the gpu and node of another topology. What a source does not tell is looked
// up where it names the GPU (known_gpus.h), assumed where a note says so, or left `unknown`.
//
//   auto imported = ImportTopology(text, "dgx.xml", {});      // kind none: one node
//   imported->yaml                                            // what LoadCluster reads
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"
#include "topology/cluster.h"

namespace pipescope::topology {

struct ImportOptions {
  std::string from = {};    // "nccl", "nvidia-smi", "ibnetdiscover"; "": by the text
  std::string gpu = {};     // a name of known_gpus.h; "": as the file tells
  std::string node = {};    // ibnetdiscover: the topology that gpu and node are taken from
  std::string fabric = {};  // nccl, nvidia-smi: the topology that the fabric is taken from
  int nodes = 0;            // with `fabric`; 0: as that topology has
};

struct Imported {
  Cluster cluster;
  std::string yaml;
  std::vector<std::string> notes;  // also in the file, as comments
};

const std::vector<std::string>& ImportSources();

// `file` is named in errors only.
Result<Imported> ImportTopology(const std::string& text, const std::string& file,
                                const ImportOptions& options);

}  // namespace pipescope::topology
