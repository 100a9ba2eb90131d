#include "sim/collective/time.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "topology/route.h"
#include "topology/vertices.h"

namespace pipescope::collective {
namespace {

double BusFactor(const Collective& c) {
  if (c.pattern == "p2p") return 1;
  const double ring = static_cast<double>(c.gpus - 1) / c.gpus;
  return c.pattern == "all-reduce" ? 2 * ring : ring;
}

class Clock {
 public:
  Clock(const topology::Cluster& cluster, double network)
      : ids_(cluster),
        router_(cluster, {.to_rail = true}),
        network_(network),
        load_(static_cast<size_t>(router_.links().size())),
        total_(load_.size()) {}

  // Transfers of one step.
  void Step(std::span<const Transfer> step, CollectiveTime& result) {
    used_.clear();
    Duration latency;
    for (const Transfer& t : step) {
      result.moved += t.bytes;
      const topology::Route& route = RouteOf(t.src, t.dst);
      latency = std::max(latency, route.latency);
      for (const topology::LinkId link : route.links) {
        int64_t& load = load_[static_cast<size_t>(link)];
        if (load == 0) used_.push_back(link);
        load += t.bytes.value();
        total_[static_cast<size_t>(link)] += t.bytes.value();
      }
    }
    Duration longest;
    std::string where = "latency";
    for (const topology::LinkId link : used_) {
      const Duration took = Bytes(load_[static_cast<size_t>(link)]) / RateOf(link);
      load_[static_cast<size_t>(link)] = 0;
      if (took > longest) {
        longest = took;
        where = KindOf(link);
      }
    }
    held_["latency"] += latency;
    held_[where] += longest;
    result.latency += latency;
    result.time += latency + longest;
  }

  std::string Bound() const {
    return std::max_element(held_.begin(), held_.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; })
        ->first;
  }
  // The most that any link out of a GPU into `NVLink`, or of a NIC, has carried.
  Bytes Most(bool nvlink) const {
    int64_t most = 0;
    for (size_t link = 0; link < total_.size(); ++link) {
      if (total_[link] == 0) continue;
      const std::string kind = KindOf(static_cast<topology::LinkId>(link));
      if (kind == (nvlink ? "NVLink" : "NIC")) most = std::max(most, total_[link]);
    }
    return Bytes(most);
  }

 private:
  const topology::Route& RouteOf(int src, int dst) {
    const int64_t key = int64_t{src} << 32 | dst;
    const auto known = routes_.find(key);
    if (known != routes_.end()) return known->second;
    return routes_.emplace(key, router_.Between(src, dst)).first->second;
  }
  std::string KindOf(topology::LinkId id) const {
    const topology::Link link = router_.links()[id];
    const int low = std::min(link.from, link.to);
    const int high = std::max(link.from, link.to);
    const int first_switch = ids_.fabric_switch(0);
    if (low >= first_switch) return "between switches";
    if (high >= first_switch) return "NIC";
    return high < ids_.gpus() + ids_.nvlink_switches() ? "NVLink" : "PCIe";
  }
  Bandwidth RateOf(topology::LinkId id) const {
    const Bandwidth rate = router_.links()[id].capacity;
    return KindOf(id) == "NVLink" ? rate : Bandwidth(rate.value() * network_);
  }

  topology::VertexIds ids_;
  topology::Router router_;
  double network_;
  std::unordered_map<int64_t, topology::Route> routes_;
  std::vector<int64_t> load_;   // of the step, by link
  std::vector<int64_t> total_;  // of all steps
  std::vector<topology::LinkId> used_;
  std::map<std::string, Duration> held_;
};

}  // namespace

CollectiveTime TimeOf(const topology::Cluster& cluster, const Collective& c,
                      const Transfers& transfers, double network) {
  Clock clock(cluster, network);
  CollectiveTime result;
  result.steps = transfers.steps;
  result.transfers = static_cast<int64_t>(transfers.all.size());
  const std::span<const Transfer> all = transfers.all;
  for (size_t from = 0; from < all.size();) {
    size_t to = from;
    while (to < all.size() && all[to].step == all[from].step) ++to;
    clock.Step(all.subspan(from, to - from), result);
    from = to;
  }
  result.algorithm = c.size / result.time;
  result.bus = Bandwidth(result.algorithm.value() * BusFactor(c));
  result.wire = clock.Most(false) / result.time;
  result.nvlink = clock.Most(true) / result.time;
  result.bound = clock.Bound();
  return result;
}

}  // namespace pipescope::collective
