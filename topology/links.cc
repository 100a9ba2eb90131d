#include "topology/links.h"

#include <algorithm>
#include <tuple>

namespace pipescope::topology {

LinkTable::LinkTable(const Cluster& cluster, const FabricLayout* layout)
    : ids_(cluster),
      node_(cluster.node),
      cable_(cluster.fabric.link_latency),
      switch_(cluster.fabric.switch_latency),
      nic_(cluster.fabric.nic_latency) {
  first_pcie_ = cluster.node.gpus > 1 ? 2 * ids_.gpus() : 0;
  first_nic_ = first_pcie_ + (ids_.nics() > 0 ? 2 * ids_.gpus() : 0);
  first_switch_link_ = first_nic_ + 2 * ids_.nics();
  if (layout == nullptr) return;
  plugged_.reserve(static_cast<size_t>(ids_.nics()));
  for (int n = 0; n < cluster.nodes; ++n) {
    for (int i = 0; i < cluster.node.nics; ++i) plugged_.push_back(layout->SwitchOf({n, i}));
  }
  AddSwitchLinks(cluster, *layout);
  ApplyFaults(cluster);
}

void LinkTable::AddSwitchLinks(const Cluster& cluster, const FabricLayout& layout) {
  layout.ForEachLink([&](const SwitchLink& link) {
    const Bandwidth rate = link.rate.value() > 0 ? link.rate : cluster.node.nic;
    between_.push_back({link.lower, link.upper, link.cables, rate * link.cables});
  });
  // Two cables that run the other way round are between the same two switches all the same.
  const auto order = [](const Pair& p) {
    return std::tuple(std::min(p.lower, p.upper), std::max(p.lower, p.upper));
  };
  std::stable_sort(between_.begin(), between_.end(),
                   [&](const Pair& a, const Pair& b) { return order(a) < order(b); });
  size_t kept = 0;
  for (size_t i = 0; i < between_.size(); ++i) {
    if (kept > 0 && order(between_[kept - 1]) == order(between_[i])) {
      between_[kept - 1].cables += between_[i].cables;
      between_[kept - 1].capacity += between_[i].capacity;
    } else {
      between_[kept++] = between_[i];
    }
  }
  between_.resize(kept);
  std::vector<std::tuple<int, int, int>> ends;  // switch, neighbour, index
  for (size_t i = 0; i < between_.size(); ++i) {
    ends.emplace_back(between_[i].lower, between_[i].upper, static_cast<int>(i));
    ends.emplace_back(between_[i].upper, between_[i].lower, static_cast<int>(i));
  }
  std::sort(ends.begin(), ends.end());
  start_.assign(static_cast<size_t>(layout.switches()) + 1, 0);
  for (const auto& [number, neighbour, index] : ends) {
    ++start_[static_cast<size_t>(number) + 1];
    near_.push_back(neighbour);
    index_.push_back(index);
  }
  for (size_t i = 1; i < start_.size(); ++i) start_[i] += start_[i - 1];
}

void LinkTable::ApplyFaults(const Cluster& cluster) {
  const Faults& faults = cluster.faults;
  const auto global = [&](NicAt at) { return at.node * node_.nics + at.nic; };
  for (const auto& slow : faults.slow_nics) nic_rates_[global(slow.at)] = slow.rate;
  for (NicAt at : faults.dead_nics) nic_rates_[global(at)] = Bandwidth();
  for (const auto& cable : faults.cables) {
    const int index = IndexBetween(cable.a, cable.b);
    if (index >= 0)
      between_[static_cast<size_t>(index)].capacity =
          between_[static_cast<size_t>(index)].capacity * cable.left;
  }
  for (int number : faults.dead_switches) {
    for (int i = start_[static_cast<size_t>(number)]; i < start_[static_cast<size_t>(number) + 1];
         ++i) {
      between_[static_cast<size_t>(index_[static_cast<size_t>(i)])].capacity = Bandwidth();
    }
    for (size_t nic = 0; nic < plugged_.size(); ++nic) {
      if (plugged_[nic] == number) nic_rates_[static_cast<int>(nic)] = Bandwidth();
    }
  }
}

Bandwidth LinkTable::NicRate(int nic) const {
  if (plugged_[static_cast<size_t>(nic)] < 0) return Bandwidth();
  const auto found = nic_rates_.find(nic);
  return found == nic_rates_.end() ? node_.nic : found->second;
}

Link LinkTable::operator[](LinkId id) const {
  const bool back = id % 2 == 1;
  const auto make = [&](int from, int to, Bandwidth capacity, Duration there, Duration latency_back,
                        int cables) {
    return back ? Link{to, from, capacity, latency_back, cables}
                : Link{from, to, capacity, there, cables};
  };
  if (id < first_pcie_) {
    const int gpu = id / 2;
    return make(ids_.gpu(gpu), ids_.nvlink_switch(gpu / node_.gpus), node_.nvlink,
                node_.nvlink_latency, {}, 1);
  }
  if (id < first_nic_) {
    const int gpu = (id - first_pcie_) / 2;
    return make(ids_.gpu(gpu), ids_.nic(gpu / node_.gpus, ids_.NicOf(gpu)), node_.pcie, nic_, nic_,
                1);
  }
  if (id < first_switch_link_) {
    const int nic = (id - first_nic_) / 2;
    const int number = std::max(0, plugged_[static_cast<size_t>(nic)]);
    return make(ids_.nic(0, nic), ids_.fabric_switch(number), NicRate(nic), cable_ + switch_,
                cable_, 1);
  }
  const Pair& pair = between_[static_cast<size_t>((id - first_switch_link_) / 2)];
  return make(ids_.fabric_switch(pair.lower), ids_.fabric_switch(pair.upper), pair.capacity,
              cable_ + switch_, cable_ + switch_, pair.cables);
}

std::span<const int> LinkTable::Near(int number) const {
  const auto first = static_cast<size_t>(start_[static_cast<size_t>(number)]);
  const auto last = static_cast<size_t>(start_[static_cast<size_t>(number) + 1]);
  return std::span(near_).subspan(first, last - first);
}

int LinkTable::IndexBetween(int a, int b) const {
  const auto near = Near(a);
  const auto found = std::lower_bound(near.begin(), near.end(), b);
  if (found == near.end() || *found != b) return -1;
  return index_[static_cast<size_t>(start_[static_cast<size_t>(a)] + (found - near.begin()))];
}

LinkId LinkTable::Between(int from, int to) const {
  const int first_nic_vertex = ids_.nic(0, 0);
  const int first_switch = ids_.fabric_switch(0);
  const int back = from > to ? 1 : 0;
  const int low = std::min(from, to);
  const int high = std::max(from, to);
  if (low < ids_.gpus()) {
    if (high < ids_.gpus() || high >= first_switch) return -1;
    if (high < first_nic_vertex) {
      return high == ids_.nvlink_switch(low / node_.gpus) ? 2 * low + back : -1;
    }
    const bool own = high == ids_.nic(low / node_.gpus, ids_.NicOf(low));
    return own ? first_pcie_ + 2 * low + back : -1;
  }
  if (low < first_nic_vertex || high < first_switch) return -1;
  if (low < first_switch) {
    const int nic = low - first_nic_vertex;
    const bool own = plugged_[static_cast<size_t>(nic)] == high - first_switch;
    return own ? first_nic_ + 2 * nic + back : -1;
  }
  const int index = IndexBetween(from - first_switch, to - first_switch);
  if (index < 0) return -1;
  const bool upward = between_[static_cast<size_t>(index)].lower == from - first_switch;
  return first_switch_link_ + 2 * index + (upward ? 0 : 1);
}

}  // namespace pipescope::topology
