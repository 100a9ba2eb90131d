#pragma once

#include "topology/fabric.h"

namespace pipescope::topology {

// One NIC a router.
class Hypercube : public FabricLayout {
 public:
  Hypercube(int dimensions, int nics_a_node, Bandwidth nic)
      : dimensions_(dimensions), nics_(nics_a_node), nic_(nic) {}

  int switches() const override { return 1 << dimensions_; }
  SwitchLevel LevelOf(int) const override { return SwitchLevel::kRouter; }
  void ForEachLink(const std::function<void(const SwitchLink&)>& visit) const override;
  int SwitchOf(NicAt at) const override { return at.node * nics_ + at.nic; }
  bool Joined(NicAt, NicAt) const override { return true; }
  int64_t PathCount(NicAt from, NicAt to) const override;
  std::vector<int> Path(NicAt from, NicAt to, int64_t key) const override;
  int64_t DestinationKey(NicAt) const override { return 0; }
  std::optional<Bandwidth> Cut() const override { return nic_ * (switches() / 2.0); }

 private:
  std::vector<int> BitsBetween(NicAt from, NicAt to) const;

  int dimensions_;
  int nics_;
  Bandwidth nic_;
};

}  // namespace pipescope::topology
