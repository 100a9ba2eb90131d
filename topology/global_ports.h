// Which group each global cable of a dragonfly leads to: the same pattern in every group.
//
// A group has P global ports. Port pairs (2e-2, 2e-1), e = 1, 2, ..., lead to the groups e further
// and e back, where they land on each other; of an even number g of groups, one more port leads to
// the group opposite. After g - 1 ports every other group is reached once and the pattern repeats.
// What is left over after whole rounds is paired as far as it goes; at most one port stays empty.
//
// Example (ISCA 2025, arXiv 2505.09343, Table 3, DF): 511 groups of 32 routers with 16 global ports
// have 512 ports a group: one round of 510 and one more pair, 511 * 512 / 2 = 130816 cables.
#pragma once

#include <vector>

namespace pipescope::topology {

struct GlobalPorts {
  int groups = 1;
  int ports = 0;  // of a group

  struct Peer {
    int group = -1;  // -1: the port is empty
    int port = -1;
  };
  Peer PeerOf(int group, int port) const;
  // The ports of `from` whose cables lead to `to`, in order.
  std::vector<int> Towards(int from, int to) const;
  // Cables between the first half of the groups and the others.
  long long Cut() const;
};

}  // namespace pipescope::topology
