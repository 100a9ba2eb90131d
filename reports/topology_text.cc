#include "reports/topology_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/quantity.h"
#include "topology/fabric.h"
#include "topology/graph.h"
#include "topology/samples.h"

namespace pipescope::reports {
namespace {

using topology::Cluster;
using topology::FabricKind;

std::string Plural(int64_t count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

// What an imported file leaves open, wherever it belongs.
std::string UnknownLines(const Cluster& cluster) {
  std::string fields;
  for (const std::string& field : cluster.unknown) fields += (fields.empty() ? "" : ", ") + field;
  return fields.empty() ? "" : "Unknown    " + fields + ": shown as 0; fill in to simulate\n";
}

std::string GpuLines(const topology::Gpu& gpu) {
  const std::string fp8 = gpu.fp8.value() > 0 ? "FP8 " + Format(gpu.fp8) : "no FP8";
  return fmt::format("GPU        {} SMs; dense BF16 {}, {}; vector FP32 {} (peaks)\n", gpu.sms,
                     Format(gpu.bf16), fp8, Format(gpu.fp32)) +
         fmt::format("           {} of memory at {}\n", FormatGiB(gpu.memory),
                     Format(gpu.memory_bandwidth));
}

std::string NodeLines(const Cluster& cluster) {
  const topology::Node& node = cluster.node;
  std::string text = "Node       " + Plural(node.gpus, "GPU", "GPUs");
  if (node.gpus > 1) {
    text += fmt::format("; NVLink {} a GPU and direction", Format(node.nvlink));
    if (node.nvlink_nominal == node.nvlink) text += " (nominal)";
    if (node.nvlink_nominal > node.nvlink) {
      text += fmt::format(" (nominal {})", Format(node.nvlink_nominal));
    }
    text += fmt::format(", {}", Format(node.nvlink_latency));
  }
  text += "\n";
  if (cluster.fabric.kind == FabricKind::kNone) return text;
  return text + fmt::format("           {} of {} (nominal); PCIe {} a GPU\n",
                            Plural(node.nics, "NIC", "NICs"), Format(node.nic), Format(node.pcie));
}

// What the file says of the shape, ", " first.
std::string ShapeText(const topology::Fabric& fabric) {
  std::string text;
  switch (fabric.kind) {
    case FabricKind::kNone:
      return text;
    case FabricKind::kExplicit:
      return fmt::format(", oversubscription {:.3g} at its worst switch", fabric.oversubscription);
    case FabricKind::kFatTree:
    case FabricKind::kMultiPlane:
      if (fabric.rail_optimized) text += ", rail-optimized";
      if (fabric.kind == FabricKind::kMultiPlane) {
        text += ", " + Plural(fabric.planes, "plane", "planes");
      }
      return text + fmt::format(", {}, {} ports a switch, oversubscription {:g}",
                                Plural(fabric.levels, "level", "levels"), fabric.switch_ports,
                                fabric.oversubscription);
    case FabricKind::kTorus:
      for (int size : fabric.dimensions) {
        text += (text.empty() ? ", " : " x ") + std::to_string(size);
      }
      return text + ", " + Plural(fabric.switch_nics, "NIC", "NICs") + " a router";
    case FabricKind::kDragonfly:
    case FabricKind::kDragonflyPlus:
      break;
  }
  const bool plus = fabric.kind == FabricKind::kDragonflyPlus;
  text = fmt::format(", {} of {} {}", Plural(fabric.groups, "group", "groups"),
                     fabric.group_switches, plus ? "leaves" : "routers");
  if (plus) text += fmt::format(" and {} spines", fabric.group_spines);
  return text + fmt::format(", {} and {} a {}, {} ports a switch",
                            plus ? Plural(fabric.switch_nics, "NIC a leaf", "NICs a leaf")
                                 : Plural(fabric.switch_nics, "NIC", "NICs"),
                            Plural(fabric.global_cables, "global cable", "global cables"),
                            plus ? "spine" : "router", fabric.switch_ports);
}

std::string LevelsText(const topology::Counts& counts) {
  if (counts.routers == counts.switches()) return fmt::format("{} router", counts.routers);
  std::string text =
      fmt::format("{} leaf, {} spine, {} core", counts.leaves, counts.spines, counts.cores);
  if (counts.routers > 0) text += fmt::format(", {} router", counts.routers);
  return text;
}

// "2048 between switches", and of which kind where there are several.
std::string CablesText(const topology::Counts& counts) {
  std::string text = fmt::format("{} between switches", counts.switch_cables);
  std::string parts;
  int kinds = 0;
  const auto add = [&](int64_t cables, const char* what) {
    if (cables == 0) return;
    ++kinds;
    parts += (parts.empty() ? "" : ", ") + fmt::format("{} {}", cables, what);
  };
  add(counts.leaf_spine_cables, "leaf-spine");
  add(counts.spine_core_cables, "spine-core");
  add(counts.local_cables, "local");
  add(counts.global_cables, "global");
  return kinds > 1 ? text + " (" + parts + ")" : text;
}

std::string FaultLines(const topology::Faults& faults) {
  if (faults.empty()) return "";
  std::string text;
  const auto add = [&](size_t count, const char* one, const char* many) {
    if (count == 0) return;
    text += (text.empty() ? "" : ", ") + Plural(static_cast<int64_t>(count), one, many);
  };
  const auto dead = static_cast<size_t>(
      std::count_if(faults.cables.begin(), faults.cables.end(),
                    [](const topology::Faults::Cable& cable) { return cable.left == 0; }));
  add(faults.dead_nics.size(), "dead NIC", "dead NICs");
  add(faults.slow_nics.size(), "slow NIC", "slow NICs");
  add(faults.dead_switches.size(), "dead switch", "dead switches");
  add(dead, "dead link", "dead links");
  add(faults.cables.size() - dead, "slow link", "slow links");
  return "Faults     " + text + "; counts and bisection are as built\n";
}

std::string FabricLines(const Cluster& cluster, const topology::Counts& counts) {
  const topology::Fabric& fabric = cluster.fabric;
  std::string text = fmt::format("Fabric     {}", topology::EntryOf(fabric.kind).name);
  if (fabric.kind == FabricKind::kNone) return text + ": the node stands alone\n";
  text += ShapeText(fabric) + "\n";
  text += fmt::format("           {}: {}\n", Plural(counts.switches(), "switch", "switches"),
                      LevelsText(counts));
  text += fmt::format("           {} endpoints; {} between NIC and {}, {}\n", counts.nics,
                      Plural(counts.nic_cables, "cable", "cables"),
                      counts.routers > 0 ? "router" : "leaf", CablesText(counts));
  return text + fmt::format(
                    "           bisection {} per direction; latency {} a cable, {} a switch, "
                    "{} a NIC\n",
                    Format(counts.bisection), Format(fabric.link_latency),
                    Format(fabric.switch_latency), Format(fabric.nic_latency));
}

std::string RouteLines(const Cluster& cluster) {
  const auto samples = topology::SampleRoutes(cluster);
  if (samples.empty()) return "";
  std::string text = fmt::format("\n{:<21}{:>14}  {:>11}  {:>9}  {}\n", "Route", "From -> to",
                                 "Bottleneck", "Latency", "Path");
  for (const auto& sample : samples) {
    std::string path;
    for (const std::string& name : sample.path) path += (path.empty() ? "" : " > ") + name;
    text += fmt::format("{:<21}{:>14}  {:>11}  {:>9}  {}\n", sample.what,
                        fmt::format("{} -> {}", sample.from, sample.to),
                        Format(sample.route.bottleneck), Format(sample.route.latency), path);
  }
  return text + "Bottlenecks are for one message alone, at the rates above.\n";
}

}  // namespace

std::string TopologyLine(const Cluster& cluster) {
  const topology::Counts counts = topology::CountParts(cluster);
  std::string text =
      fmt::format("{} x {} {} = {}", Plural(cluster.nodes, "node", "nodes"), cluster.node.gpus,
                  cluster.gpu.name, Plural(cluster.gpus(), "GPU", "GPUs"));
  if (cluster.fabric.kind == FabricKind::kNone) return text;
  return text + fmt::format(", {} with {}", topology::EntryOf(cluster.fabric.kind).name,
                            Plural(counts.switches(), "switch", "switches"));
}

std::string TopologyText(const Cluster& cluster) {
  const topology::Counts counts = topology::CountParts(cluster);
  std::string text =
      fmt::format("{}: {} x {} {} = {}\n\n", cluster.name, Plural(cluster.nodes, "node", "nodes"),
                  cluster.node.gpus, cluster.gpu.name, Plural(cluster.gpus(), "GPU", "GPUs"));
  text += UnknownLines(cluster) + GpuLines(cluster.gpu) + NodeLines(cluster) +
          FabricLines(cluster, counts);
  text += FaultLines(cluster.faults);
  text += RouteLines(cluster);
  if (!cluster.source.empty()) text += "\nSource: " + cluster.source + "\n";
  return text;
}

std::string TopologyListText(const std::vector<NamedCluster>& clusters) {
  size_t width = 0;
  for (const NamedCluster& named : clusters) width = std::max(width, named.name.size());
  std::string text;
  for (const NamedCluster& named : clusters) {
    text += fmt::format("{:<{}}  {}\n", named.name, width, TopologyLine(named.cluster));
  }
  return text;
}

}  // namespace pipescope::reports
