#include "reports/fabric_data.h"

#include <cmath>

#include "topology/fabric.h"
#include "topology/graph.h"

namespace pipescope::reports {
namespace {

using Json = nlohmann::ordered_json;
using topology::Counts;

// The switches' levels that there are, upwards.
Json LevelsOf(const topology::Cluster& cluster, const Counts& counts) {
  Json levels = Json::array();
  const auto add = [&](const char* name, int count) {
    if (count > 0) levels.push_back({{"name", name}, {"count", count}});
  };
  add("GPU", cluster.gpus());
  add("NVLink switch", counts.nvlink_switches);
  add("NIC", counts.nics);
  add("leaf", counts.leaves);
  add("router", counts.routers);
  add("spine", counts.spines);
  add("core", counts.cores);
  return levels;
}

Json CablesOf(const topology::Cluster& cluster, const Counts& counts) {
  Json links = Json::array();
  const auto add = [&](const char* name, const char* lower, const char* upper, int64_t count,
                       Bandwidth rate) {
    if (count == 0) return;
    links.push_back({{"name", name},
                     {"lower", lower},
                     {"upper", upper},
                     {"count", count},
                     {"bytes_per_s", rate.value()}});
  };
  const topology::Node& node = cluster.node;
  const char* first = counts.routers > 0 ? "router" : "leaf";
  if (counts.nvlink_switches > 0) {
    add("NVLink", "GPU", "NVLink switch", cluster.gpus(), node.nvlink);
  }
  add("PCIe", "GPU", "NIC", counts.nics > 0 ? cluster.gpus() : 0, node.pcie);
  add("NIC", "NIC", first, counts.nic_cables, node.nic);
  add("leaf to spine", "leaf", "spine", counts.leaf_spine_cables, node.nic);
  add("spine to core", "spine", "core", counts.spine_core_cables, node.nic);
  const char* top = counts.routers > 0 ? "router" : counts.spines > 0 ? "spine" : "leaf";
  if (counts.routers > 0) add("within groups", "router", "router", counts.local_cables, node.nic);
  add("between groups", top, top, counts.global_cables, node.nic);
  return links;
}

}  // namespace

Json FabricData(const topology::Cluster& cluster) {
  const Counts counts = topology::CountParts(cluster);
  return {{"name", cluster.name},
          {"kind", topology::EntryOf(cluster.fabric.kind).name},
          {"nodes", cluster.nodes},
          {"node_gpus", cluster.node.gpus},
          {"levels", LevelsOf(cluster, counts)},
          {"links", CablesOf(cluster, counts)}};
}

Json LinksData(const LinkUse& use) {
  if (use.classes.empty()) return {};
  Json classes = Json::array();
  for (const LinkUse::Class& its : use.classes) {
    Json work = Json::array(), rank = Json::array(), percent = Json::array();
    for (const Bytes b : its.by_work) work.push_back(b.value());
    for (const Bytes b : its.by_rank) rank.push_back(b.value());
    for (const double s : its.share) percent.push_back(std::llround(100 * s));
    classes.push_back({{"name", its.name},
                       {"from", its.from},
                       {"to", its.to},
                       {"links", its.links},
                       {"bytes_per_s", its.capacity.value()},
                       {"by_work", std::move(work)},
                       {"by_rank", std::move(rank)},
                       {"busiest", its.busiest},
                       {"percent", std::move(percent)}});
  }
  return {{"slice_ns", use.slice.picoseconds() / 1000}, {"works", use.works}, {"classes", classes}};
}

}  // namespace pipescope::reports
