// Explicit fabric: switches and cables as a file lists them, of whatever shape; what is read from a
// real network (ibnetdiscover) is one.
//
//   path    fewest switches; among equals by the key, in mixed radix along the way: at each switch
//           the neighbours that are one step nearer to the end, ordered by their number, are the
//           digits. Distances are kept for each pair of a switch and one with NICs, 2 bytes each.
//   cut     the most that the first half of the nodes can send to the others: a maximum flow
//
// Example: two leaves and two spines, two cables between each: 2 paths from leaf to leaf.
#include <fmt/format.h>

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/push_relabel_max_flow.hpp>
#include <limits>
#include <map>
#include <queue>

#include "topology/check.h"
#include "topology/explicit_file.h"
#include "topology/fabric.h"

namespace pipescope::topology {
namespace {

constexpr uint16_t kFar = 0xffff;

using FlowTraits = boost::adjacency_list_traits<boost::vecS, boost::vecS, boost::directedS>;
using FlowGraph = boost::adjacency_list<
    boost::vecS, boost::vecS, boost::directedS, boost::no_property,
    boost::property<
        boost::edge_capacity_t, int64_t,
        boost::property<boost::edge_residual_capacity_t, int64_t,
                        boost::property<boost::edge_reverse_t, FlowTraits::edge_descriptor>>>>;

void AddFlow(FlowGraph& graph, size_t a, size_t b, double capacity) {
  const auto edge = add_edge(a, b, graph).first;
  const auto reverse = add_edge(b, a, graph).first;
  put(boost::edge_capacity, graph, edge, static_cast<int64_t>(capacity));
  put(boost::edge_capacity, graph, reverse, 0);
  put(boost::edge_reverse, graph, edge, reverse);
  put(boost::edge_reverse, graph, reverse, edge);
}

class Explicit : public FabricLayout {
 public:
  explicit Explicit(const Cluster& cluster)
      : cabled_(cluster.fabric.cabled), nics_(cluster.node.nics) {
    plugged_.assign(static_cast<size_t>(cluster.nodes) * static_cast<size_t>(nics_), -1);
    near_.resize(cabled_.size());
    for (size_t i = 0; i < cabled_.size(); ++i) {
      for (NicAt at : cabled_[i].nics) plugged_[Index(at)] = static_cast<int>(i);
      for (const CabledSwitch::Up& up : cabled_[i].up) {
        near_[i].push_back(up.to);
        near_[static_cast<size_t>(up.to)].push_back(static_cast<int>(i));
      }
    }
    for (auto& near : near_) {
      std::sort(near.begin(), near.end());
      near.erase(std::unique(near.begin(), near.end()), near.end());
    }
    distance_.resize(cabled_.size());
    for (size_t i = 0; i < cabled_.size(); ++i) {
      if (!cabled_[i].nics.empty()) distance_[i] = DistancesTo(static_cast<int>(i));
    }
    cut_ = MaxFlow(cluster);
  }

  int switches() const override { return static_cast<int>(cabled_.size()); }
  SwitchLevel LevelOf(int number) const override { return At(number).level; }
  std::string NameOf(int number) const override { return At(number).name; }
  void ForEachLink(const std::function<void(const SwitchLink&)>& visit) const override {
    for (size_t i = 0; i < cabled_.size(); ++i) {
      for (const CabledSwitch::Up& up : cabled_[i].up) {
        visit({static_cast<int>(i), up.to, up.cables, KindOf(cabled_[i].level, At(up.to).level),
               up.rate});
      }
    }
  }
  int SwitchOf(NicAt at) const override { return plugged_[Index(at)]; }
  bool Joined(NicAt a, NicAt b) const override {
    const int from = SwitchOf(a);
    const int to = SwitchOf(b);
    return from >= 0 && to >= 0 && Distance(from, to) != kFar;
  }
  int64_t PathCount(NicAt from, NicAt to) const override {
    std::map<int, int64_t> known;
    return Ways(SwitchOf(from), SwitchOf(to), known);
  }
  std::vector<int> Path(NicAt from, NicAt to, int64_t key) const override {
    const int end = SwitchOf(to);
    std::vector<int> path = {SwitchOf(from)};
    std::map<int, int64_t> known;
    int64_t left = key % Ways(path.back(), end, known);
    while (path.back() != end) {
      const int here = path.back();
      for (int next : near_[static_cast<size_t>(here)]) {
        if (Distance(next, end) + 1 != Distance(here, end)) continue;
        const int64_t ways = Ways(next, end, known);
        if (left < ways) {
          path.push_back(next);
          break;
        }
        left -= ways;
      }
    }
    return path;
  }
  int64_t DestinationKey(NicAt to) const override { return to.node * nics_ + to.nic; }
  std::optional<Bandwidth> Cut() const override { return cut_; }

 private:
  const CabledSwitch& At(int number) const { return cabled_[static_cast<size_t>(number)]; }
  size_t Index(NicAt at) const {
    return static_cast<size_t>(at.node) * static_cast<size_t>(nics_) + static_cast<size_t>(at.nic);
  }
  uint16_t Distance(int from, int to) const {
    return distance_[static_cast<size_t>(to)][static_cast<size_t>(from)];
  }
  static CableKind KindOf(SwitchLevel a, SwitchLevel b) {
    if (a == SwitchLevel::kCore || b == SwitchLevel::kCore) return CableKind::kSpineCore;
    if (a != b) return CableKind::kLeafSpine;
    return CableKind::kLocal;
  }
  std::vector<uint16_t> DistancesTo(int end) const {
    std::vector<uint16_t> distance(cabled_.size(), kFar);
    std::queue<int> open({end});
    distance[static_cast<size_t>(end)] = 0;
    for (; !open.empty(); open.pop()) {
      const auto here = static_cast<size_t>(open.front());
      for (int next : near_[here]) {
        uint16_t& known = distance[static_cast<size_t>(next)];
        if (known != kFar) continue;
        known = static_cast<uint16_t>(distance[here] + 1);
        open.push(next);
      }
    }
    return distance;
  }
  // The number of shortest ways; bounded, since beyond a million they need not be told apart.
  int64_t Ways(int from, int to, std::map<int, int64_t>& known) const {
    if (from == to) return 1;
    if (const auto found = known.find(from); found != known.end()) return found->second;
    int64_t ways = 0;
    for (int next : near_[static_cast<size_t>(from)]) {
      if (Distance(next, to) + 1 == Distance(from, to)) ways += Ways(next, to, known);
    }
    return known[from] = std::min<int64_t>(ways, 1'000'000);
  }
  Bandwidth MaxFlow(const Cluster& cluster) const {
    FlowGraph graph(cabled_.size() + 2);
    const size_t from = cabled_.size();
    const double nic = cluster.node.nic.value();
    for (size_t i = 0; i < cabled_.size(); ++i) {
      double first = 0;
      double second = 0;
      for (NicAt at : cabled_[i].nics) (at.node < cluster.nodes / 2 ? first : second) += nic;
      if (first > 0) AddFlow(graph, from, i, first);
      if (second > 0) AddFlow(graph, i, from + 1, second);
      for (const CabledSwitch::Up& up : cabled_[i].up) {
        const double rate = (up.rate.value() > 0 ? up.rate.value() : nic) * up.cables;
        AddFlow(graph, i, static_cast<size_t>(up.to), rate);
        AddFlow(graph, static_cast<size_t>(up.to), i, rate);
      }
    }
    return Bandwidth(static_cast<double>(push_relabel_max_flow(graph, from, from + 1)));
  }

  std::vector<CabledSwitch> cabled_;
  int nics_;
  std::vector<int> plugged_;
  std::vector<std::vector<int>> near_;
  std::vector<std::vector<uint16_t>> distance_;  // to each switch with NICs
  Bandwidth cut_;
};

Status Check(const Cluster& cluster) {
  const auto wrong = [](std::string message) {
    return Fail(Error{std::move(message), {}, "fabric.switches"});
  };
  const auto& cabled = cluster.fabric.cabled;
  if (cabled.empty()) return wrong("is empty; expected at least one switch");
  if (cabled.size() > kMaxCabledSwitches) {
    return wrong(fmt::format("{}; at most {} are supported", cabled.size(), kMaxCabledSwitches));
  }
  std::map<NicAt, const CabledSwitch*> plugged;
  for (size_t i = 0; i < cabled.size(); ++i) {
    for (NicAt at : cabled[i].nics) {
      if (at.node >= cluster.nodes || at.nic >= cluster.node.nics) {
        return wrong(fmt::format("{}: there is no NIC {}.{} in {} nodes of {} NICs", cabled[i].name,
                                 at.node, at.nic, cluster.nodes, cluster.node.nics));
      }
      const auto [found, fresh] = plugged.emplace(at, &cabled[i]);
      if (!fresh) {
        return wrong(fmt::format("{}: NIC {}.{} is plugged into {} already", cabled[i].name,
                                 at.node, at.nic, found->second->name));
      }
    }
    for (const CabledSwitch::Up& up : cabled[i].up) {
      if (up.to != static_cast<int>(i)) continue;
      return wrong(fmt::format("{}: is joined to itself", cabled[i].name));
    }
  }
  return {};
}

std::unique_ptr<FabricLayout> Make(const Cluster& cluster) {
  return std::make_unique<Explicit>(cluster);
}

}  // namespace

const FabricEntry kExplicitFabric = {FabricKind::kExplicit,
                                     "explicit",
                                     "switches and cables as the file lists them",
                                     ReadCabled,
                                     Check,
                                     Make};

}  // namespace pipescope::topology
