#include "reports/topology_json.h"

#include <nlohmann/json.hpp>

#include "topology/fabric.h"
#include "topology/graph.h"
#include "topology/samples.h"

namespace pipescope::reports {
namespace {

using nlohmann::ordered_json;
using topology::Cluster;
using topology::FabricKind;

// Bytes that are not UTF-8 become a replacement sign instead of an exception.
std::string Dump(const ordered_json& json) {
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

ordered_json GpuJson(const topology::Gpu& gpu) {
  return {{"name", gpu.name},
          {"sms", gpu.sms},
          {"bf16_flops", gpu.bf16.value()},
          {"fp8_flops", gpu.fp8.value()},
          {"fp32_flops", gpu.fp32.value()},
          {"memory_bytes", gpu.memory.value()},
          {"memory_bytes_per_second", gpu.memory_bandwidth.value()}};
}

ordered_json NodeJson(const topology::Node& node) {
  return {{"gpus", node.gpus},
          {"nvlink_bytes_per_second", node.nvlink.value()},
          {"nvlink_nominal_bytes_per_second", node.nvlink_nominal.value()},
          {"nvlink_latency_s", node.nvlink_latency.seconds()},
          {"nics", node.nics},
          {"nic_bytes_per_second", node.nic.value()},
          {"pcie_bytes_per_second", node.pcie.value()}};
}

ordered_json FabricJson(const topology::Fabric& fabric) {
  ordered_json json = {{"kind", topology::EntryOf(fabric.kind).name}};
  if (fabric.kind == FabricKind::kNone) return json;
  switch (fabric.kind) {
    case FabricKind::kDragonflyPlus:
      json["group_spines"] = fabric.group_spines;
      [[fallthrough]];
    case FabricKind::kDragonfly:
      json["groups"] = fabric.groups;
      json["group_switches"] = fabric.group_switches;
      json["switch_nics"] = fabric.switch_nics;
      json["global_cables"] = fabric.global_cables;
      json["parallel_cables"] = fabric.parallel_cables;
      json["switch_ports"] = fabric.switch_ports;
      break;
    case FabricKind::kTorus:
      json["dimensions"] = fabric.dimensions;
      json["switch_nics"] = fabric.switch_nics;
      json["parallel_cables"] = fabric.parallel_cables;
      break;
    case FabricKind::kExplicit:
      json["oversubscription"] = fabric.oversubscription;
      break;
    case FabricKind::kNone:
      break;
    case FabricKind::kFatTree:
    case FabricKind::kMultiPlane:
      json["levels"] = fabric.levels;
      json["planes"] = fabric.planes;
      json["rail_optimized"] = fabric.rail_optimized;
      json["switch_ports"] = fabric.switch_ports;
      json["oversubscription"] = fabric.oversubscription;
  }
  json["link_latency_s"] = fabric.link_latency.seconds();
  json["switch_latency_s"] = fabric.switch_latency.seconds();
  json["nic_latency_s"] = fabric.nic_latency.seconds();
  return json;
}

ordered_json CountsJson(const topology::Counts& counts) {
  return {{"gpus", counts.gpus},
          {"nvlink_switches", counts.nvlink_switches},
          {"endpoints", counts.nics},
          {"switches", counts.switches()},
          {"leaves", counts.leaves},
          {"spines", counts.spines},
          {"cores", counts.cores},
          {"routers", counts.routers},
          {"nic_cables", counts.nic_cables},
          {"switch_cables", counts.switch_cables},
          {"leaf_spine_cables", counts.leaf_spine_cables},
          {"spine_core_cables", counts.spine_core_cables},
          {"local_cables", counts.local_cables},
          {"global_cables", counts.global_cables},
          {"bisection_bytes_per_second", counts.bisection.value()}};
}

ordered_json FaultsJson(const topology::Faults& faults) {
  return {{"dead_nics", faults.dead_nics.size()},
          {"slow_nics", faults.slow_nics.size()},
          {"dead_switches", faults.dead_switches.size()},
          {"faulty_links", faults.cables.size()}};
}

ordered_json RouteJson(const topology::SampleRoute& sample) {
  return {{"what", sample.what},
          {"from", sample.from},
          {"to", sample.to},
          {"hops", sample.route.hops()},
          {"forwarded", sample.route.forwarded},
          {"bottleneck_bytes_per_second", sample.route.bottleneck.value()},
          {"latency_s", sample.route.latency.seconds()},
          {"path", sample.path}};
}

}  // namespace

std::string TopologyJson(const Cluster& cluster) {
  ordered_json json = {{"name", cluster.name},
                       {"source", cluster.source},
                       {"nodes", cluster.nodes},
                       {"gpus", cluster.gpus()},
                       {"gpu", GpuJson(cluster.gpu)},
                       {"node", NodeJson(cluster.node)},
                       {"fabric", FabricJson(cluster.fabric)},
                       {"counts", CountsJson(topology::CountParts(cluster))},
                       {"unknown", cluster.unknown},
                       {"faults", FaultsJson(cluster.faults)},
                       {"routes", ordered_json::array()}};
  for (const auto& sample : topology::SampleRoutes(cluster)) {
    json["routes"].push_back(RouteJson(sample));
  }
  return Dump(json);
}

std::string TopologyListJson(const std::vector<NamedCluster>& clusters) {
  ordered_json list = ordered_json::array();
  for (const NamedCluster& named : clusters) {
    const Cluster& cluster = named.cluster;
    list.push_back({{"name", named.name},
                    {"nodes", cluster.nodes},
                    {"gpus", cluster.gpus()},
                    {"gpu", cluster.gpu.name},
                    {"fabric", topology::EntryOf(cluster.fabric.kind).name},
                    {"switches", topology::CountParts(cluster).switches()}});
  }
  return Dump(list);
}

}  // namespace pipescope::reports
