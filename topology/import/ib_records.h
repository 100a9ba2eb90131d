// ibnetdiscover's text as records; see ibnetdiscover.cc for what they become.
//
//   Switch  65 "S-<guid>"    # "name" enhanced port 0 lid 73 lmc 0
//   [1]  "H-<guid>"[1](<port guid>)    # "host mlx5_5" lid 647 4xNDR
//   Ca  1 "H-<guid>"    # "host mlx5_5"
//   [1](<port guid>)  "S-<guid>"[1]    # lid 647 lmc 0 "name" lid 73 4xNDR
//
// Lines of a '#' and lines "key=value" say nothing that is used, as do the chassis that --grouping
// adds. A rate is lanes x generation, in the data rate that is left after line coding (InfiniBand
// Architecture Specification, volume 2): SDR 2, DDR 4, QDR 8, FDR10 10, FDR 13.64, EDR 25, HDR 50,
// NDR 100, XDR 200 Gbps a lane. Example: 4xNDR is 400 Gbps.
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/base/units.h"

namespace pipescope::topology {

struct IbPort {
  int port = 0;
  std::string peer;  // "H-..." or "S-..."
  int peer_port = 0;
  Bandwidth rate;
  int line = 0;
};

struct IbRecord {
  std::string id;  // "S-2c5eab0300b87b40"
  std::string name;
  bool is_switch = false;
  std::vector<IbPort> ports;
  int line = 0;
};

Result<std::vector<IbRecord>> ReadIbRecords(const std::string& text, const std::string& file);

}  // namespace pipescope::topology
