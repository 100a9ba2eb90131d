#include "topology/global_ports.h"

namespace pipescope::topology {

GlobalPorts::Peer GlobalPorts::PeerOf(int group, int port) const {
  const int round = groups - 1;
  if (round < 1) return {};
  const int at = port % round;
  if (groups % 2 == 0 && at == round - 1) return {(group + groups / 2) % groups, port};
  const int distance = at / 2 + 1;
  const bool onward = at % 2 == 0;
  const int peer = onward ? port + 1 : port - 1;
  if (peer >= ports) return {};
  return {(group + (onward ? distance : groups - distance)) % groups, peer};
}

std::vector<int> GlobalPorts::Towards(int from, int to) const {
  const int round = groups - 1;
  const int ahead = (to - from + groups) % groups;
  int at = round - 1;  // of an even number of groups, the one opposite
  if (2 * ahead < groups) at = 2 * ahead - 2;
  if (2 * ahead > groups) at = 2 * (groups - ahead) - 1;
  std::vector<int> found;
  for (int port = at; port < ports; port += round) {
    if (PeerOf(from, port).group >= 0) found.push_back(port);
  }
  return found;
}

long long GlobalPorts::Cut() const {
  long long cables = 0;
  for (int group = 0; group < groups / 2; ++group) {
    for (int port = 0; port < ports; ++port) cables += PeerOf(group, port).group >= groups / 2;
  }
  return cables;
}

}  // namespace pipescope::topology
