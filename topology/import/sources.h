// What the files that machines write about themselves say, before it becomes a cluster.
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"
#include "topology/cluster.h"

namespace pipescope::topology {

// One machine.
struct SourceNode {
  struct Nic {
    std::string name;
    Bandwidth rate;         // 0: not told
    bool near_gpu = false;  // a PCIe switch joins it to a GPU, without passing the CPU
  };
  int gpus = 0;
  std::string pci_device;  // of the GPUs, "0x2330"; "": not told
  int sm = 0;              // 0: not told
  bool nvlink_told = false;
  int nvlinks = 0;      // of the GPU that has the fewest
  bool uneven = false;  // GPUs have different numbers of links, or some pairs have none
  Bandwidth pcie;       // of a GPU; 0: not told
  std::vector<Nic> nics;
  std::vector<std::string> notes;  // what a person should know: assumptions, things left out
};

// A network.
struct SourceFabric {
  std::vector<std::string> hosts;  // by node
  int nics = 0;                    // of a host
  Bandwidth nic;
  std::vector<CabledSwitch> switches;
  std::vector<Faults::SlowNic> slow;
  std::vector<std::string> notes;
};

// NCCL's topology file (NCCL_TOPO_FILE, NCCL_TOPO_DUMP_FILE); vendors' files without <gpu> too.
Result<SourceNode> ReadNcclXml(const std::string& text, const std::string& file);

// The matrix that `nvidia-smi topo -m` prints, with what terminals and editors do to it.
Result<SourceNode> ReadTopoMatrix(const std::string& text, const std::string& file);

// What `ibnetdiscover` prints.
Result<SourceFabric> ReadIbNetDiscover(const std::string& text, const std::string& file);

// Lines without carriage returns and terminal escape codes.
std::vector<std::string> CleanLines(const std::string& text);

}  // namespace pipescope::topology
