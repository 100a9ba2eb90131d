// GPUs that importers know by name or by PCI device id: what data sheets say of them.
//
// Peaks are dense and nominal. A link's nominal rate is NVIDIA's (NVLink 2 to 4: 25 GB/s a
// direction; NVLink 5: 50); the achievable one is what NCCL counts with (src/graph/topo.h of
// NVIDIA/nccl: SM70 and SM80 20 GB/s, SM90 20.6, SM100 40.1).
//
// Sources: NVIDIA's data sheets of V100, A100, H100, H200, L40S, GB200 NVL72 and DGX B200; memory
// as the driver reports it. H20 has no public data sheet: what sellers and reviews agree on (78
// SMs, 148 BF16, 296 FP8, 44 FP32 TFLOPS, 4.0 TB/s). B200 is that of HGX at 1000 W (2250 and 4500
// TFLOPS, 148 SMs, 7.7 TB/s), GB200 at 1200 W (2500 and 5000). A800 is an A100 with 8 links. Device
// ids of the PCI ID Repository (pci-ids.ucw.cz), vendor 10de.
//
// Example: FindByPci("0x2330") is the H100 SXM5 80 GB, with 18 links.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "topology/cluster.h"

namespace pipescope::topology {

struct KnownGpu {
  Gpu gpu;
  int pci_device = 0;
  int sm = 0;       // compute capability, 90 for 9.0
  int nvlinks = 0;  // of one GPU; 0: none
};

std::span<const KnownGpu> KnownGpus();
const KnownGpu* FindByPci(const std::string& device);  // nullptr where it is not known
const KnownGpu* FindByName(const std::string& name);   // letters' case and blanks do not count
std::vector<std::string> KnownGpuNames();

// Of one link and direction; 0 where the generation is not known.
Bandwidth LinkRate(int sm);  // achievable
Bandwidth LinkNominalRate(int sm);

}  // namespace pipescope::topology
