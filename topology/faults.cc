#include "topology/faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "sim/base/names.h"
#include "topology/explicit_file.h"
#include "topology/links.h"

namespace pipescope::topology {
namespace {

// The switch of that name; -1 where there is none.
int NumberOf(const std::string& name, const FabricLayout& layout) {
  for (int i = 0; i < layout.switches(); ++i) {
    if (layout.NameOf(i) == name) return i;
  }
  return -1;
}

class FaultReader {
 public:
  FaultReader(Fields& fields, const Cluster& cluster)
      : fields_(fields), cluster_(cluster), layout_(MakeLayout(cluster)) {}

  Faults Read() {
    Faults faults;
    for (const auto& text : List("dead_nics")) Nics("dead_nics", text, faults.dead_nics);
    for (const auto& text : List("slow_nics")) SlowNics(text, faults);
    for (const auto& text : List("dead_switches")) {
      faults.dead_switches.push_back(Switch("dead_switches", text));
    }
    for (const auto& text : List("dead_links")) faults.cables.push_back(Cable("dead_links", text));
    for (const auto& text : List("slow_links")) {
      const size_t at = text.rfind(" at ");
      Faults::Cable cable = Cable("slow_links", text.substr(0, at));
      cable.left = Share(at == std::string::npos ? "" : text.substr(at + 4), text);
      faults.cables.push_back(cable);
    }
    return bad_ ? Faults() : faults;
  }

 private:
  std::vector<std::string> List(const char* name) {
    if (!fields_.Has(name)) return {};
    if (layout_ == nullptr) Wrong(name, "a cluster without a fabric has none");
    const auto list = fields_.Strings(name);
    return bad_ ? std::vector<std::string>() : list;
  }
  void Wrong(const char* name, const std::string& message) {
    fields_.Note(name, message);
    bad_ = true;
  }
  void Nics(const char* name, const std::string& text, std::vector<NicAt>& nics) {
    const size_t before = nics.size();
    if (!ParseNics(text, nics)) {
      return Wrong(name, fmt::format("'{}': expected node.nic such as \"3.0\", in quotes",
                                     text.substr(0, 80)));
    }
    for (size_t i = before; i < nics.size(); ++i) {
      if (nics[i].node < cluster_.nodes && nics[i].nic < cluster_.node.nics) continue;
      return Wrong(name, fmt::format("there is no NIC {}.{} in {} nodes of {} NICs", nics[i].node,
                                     nics[i].nic, cluster_.nodes, cluster_.node.nics));
    }
  }
  void SlowNics(const std::string& text, Faults& faults) {
    const size_t at = text.rfind(" at ");
    auto rate = ParseBandwidth(at == std::string::npos ? "" : text.substr(at + 4));
    if (!rate || !(rate->value() > 0) || *rate > cluster_.node.nic) {
      return Wrong("slow_nics", fmt::format("'{}': expected a NIC and its rate, at most node.nic, "
                                            "such as \"3.6 at 100 Gbps\"",
                                            text.substr(0, 80)));
    }
    std::vector<NicAt> nics;
    Nics("slow_nics", text.substr(0, at), nics);
    for (NicAt nic : nics) faults.slow_nics.push_back({nic, *rate});
  }
  int Switch(const char* name, const std::string& text) {
    const int number = NumberOf(text, *layout_);
    if (number >= 0) return number;
    std::vector<std::string> names;
    for (int i = 0; i < std::min(layout_->switches(), 4096); ++i) {
      names.push_back(layout_->NameOf(i));
    }
    const std::string near = NearestName(text, names);
    Wrong(name, fmt::format("'{}' is no switch of this fabric; {}", text.substr(0, 80),
                            near.empty() ? "the first is '" + names[0] + "'"
                                         : "did you mean '" + near + "'?"));
    return 0;
  }
  Faults::Cable Cable(const char* name, const std::string& text) {
    const size_t dashes = text.find(" -- ");
    if (dashes == std::string::npos) {
      Wrong(name, fmt::format("'{}': expected two switches, such as \"leaf 0 -- spine 64\"",
                              text.substr(0, 80)));
      return {};
    }
    Faults::Cable cable = {Switch(name, text.substr(0, dashes)),
                           Switch(name, text.substr(dashes + 4)), 0};
    if (bad_) return cable;
    if (!links_) links_.emplace(cluster_, layout_.get());
    const VertexIds ids(cluster_);
    if (links_->Between(ids.fabric_switch(cable.a), ids.fabric_switch(cable.b)) < 0) {
      Wrong(name, fmt::format("no cable joins {}", text.substr(0, 80)));
    }
    return cable;
  }
  double Share(std::string text, const std::string& whole) {
    if (!text.empty() && text.back() == '%') text.pop_back();
    while (!text.empty() && text.back() == ' ') text.pop_back();
    const auto percent = ParseNumber(text);
    if (percent && *percent > 0 && *percent <= 100) return *percent / 100;
    Wrong("slow_links",
          fmt::format("'{}': expected what is left, such as 'at 50 %'", whole.substr(0, 80)));
    return 1;
  }

  Fields& fields_;
  const Cluster& cluster_;
  std::unique_ptr<FabricLayout> layout_;
  std::optional<LinkTable> links_;
  bool bad_ = false;
};

// For each switch, the first one that live links join it to.
std::vector<int> Components(const LinkTable& links, int switches, int first_vertex) {
  std::vector<int> root(static_cast<size_t>(switches));
  std::iota(root.begin(), root.end(), 0);
  const auto find = [&](int i) {
    while (root[static_cast<size_t>(i)] != i) {
      int& up = root[static_cast<size_t>(i)];
      up = root[static_cast<size_t>(up)];
      i = up;
    }
    return i;
  };
  for (int i = 0; i < switches; ++i) {
    for (int next : links.Near(i)) {
      const LinkId id = links.Between(first_vertex + i, first_vertex + next);
      if (!(links[id].capacity.value() > 0)) continue;
      const int a = find(i);
      const int b = find(next);
      root[static_cast<size_t>(std::max(a, b))] = std::min(a, b);
    }
  }
  for (int i = 0; i < switches; ++i) root[static_cast<size_t>(i)] = find(i);
  return root;
}

}  // namespace

void TakeFaults(Fields& fields) {
  for (const char* name : {"dead_nics", "slow_nics", "dead_switches", "dead_links", "slow_links"}) {
    if (fields.Has(name)) fields.Strings(name);
  }
}

Faults ReadFaults(Fields& fields, const Cluster& cluster) {
  return FaultReader(fields, cluster).Read();
}

Status CheckFaults(const Cluster& cluster) {
  const bool whole = cluster.fabric.kind != FabricKind::kExplicit;
  if ((whole && cluster.faults.empty()) || cluster.nodes == 1) return {};
  const auto layout = MakeLayout(cluster);
  const LinkTable links(cluster, layout.get());
  const VertexIds ids(cluster);
  const auto component = Components(links, layout->switches(), ids.fabric_switch(0));
  // Nodes that reach the same parts of the fabric are alike; few kinds are left to compare.
  std::map<std::set<int>, int> kinds;  // to the first such node
  for (int node = 0; node < cluster.nodes; ++node) {
    std::set<int> reached;
    for (int nic = 0; nic < cluster.node.nics; ++nic) {
      const int number = layout->SwitchOf({node, nic});
      if (number < 0) continue;
      const LinkId id = links.Between(ids.nic(node, nic), ids.fabric_switch(number));
      if (links[id].capacity.value() > 0) reached.insert(component[static_cast<size_t>(number)]);
    }
    const bool fresh = kinds.emplace(reached, node).second;
    if (!fresh && !reached.empty()) continue;
    for (const auto& [other, first] : kinds) {
      const bool meet =
          std::any_of(other.begin(), other.end(), [&](int part) { return reached.contains(part); });
      if (meet || first == node) continue;
      const int per_node = cluster.node.gpus;
      return Fail(Error{fmt::format("gpu {} and gpu {} are cut off from each other: no live way "
                                    "joins a NIC of node {} to one of node {}",
                                    first * per_node, node * per_node, first, node),
                        {},
                        cluster.faults.empty() ? "fabric.switches" : "faults"});
    }
  }
  return {};
}

}  // namespace pipescope::topology
