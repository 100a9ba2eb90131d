#include "topology/load.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "sim/base/fields.h"
#include "sim/base/names.h"
#include "topology/check.h"
#include "topology/fabric.h"
#include "topology/faults.h"
#include "topology/shipped.h"

namespace pipescope::topology {
namespace {

bool IsUnknown(Fields& fields, const std::string& name) { return fields.Text(name) == "unknown"; }

// Whether the file says `name: unknown`, as importers write what their source does not tell.
bool Unknown(Fields& fields, const std::string& name, std::vector<std::string>& unknown) {
  if (!IsUnknown(fields, name)) return false;
  unknown.push_back(fields.Path(name));
  return true;
}

Gpu ReadGpu(Fields fields, std::vector<std::string>& unknown) {
  Gpu gpu;
  gpu.name = fields.String("name");
  const auto known = [&](const char* name) { return !Unknown(fields, name, unknown); };
  if (known("sms")) gpu.sms = static_cast<int>(fields.Integer("sms", 1, 4096));
  if (known("bf16")) gpu.bf16 = fields.GetFlopRate("bf16");
  gpu.fp8 = fields.GetFlopRate("fp8", FlopRate());
  if (known("fp32")) gpu.fp32 = fields.GetFlopRate("fp32");
  if (known("memory")) gpu.memory = fields.GetBytes("memory");
  if (known("memory_bandwidth")) gpu.memory_bandwidth = fields.GetBandwidth("memory_bandwidth");
  const auto above_zero = [&](const char* name, bool ok) {
    if (!ok && fields.Has(name) && !IsUnknown(fields, name)) {
      fields.Note(name, "must be above zero");
    }
  };
  above_zero("bf16", gpu.bf16.value() > 0);
  above_zero("fp32", gpu.fp32.value() > 0);
  above_zero("memory", gpu.memory.value() > 0);
  above_zero("memory_bandwidth", gpu.memory_bandwidth.value() > 0);
  return gpu;
}

Node ReadNode(Fields fields, bool fabric, std::vector<std::string>& unknown) {
  Node node;
  node.gpus = static_cast<int>(fields.Integer("gpus", 1, kMaxGpusPerNode));
  const bool alone = node.gpus == 1;
  if (!Unknown(fields, "nvlink", unknown)) {
    node.nvlink = fields.GetBandwidth("nvlink", alone ? std::optional(Bandwidth()) : std::nullopt);
  }
  node.nvlink_nominal = fields.GetBandwidth("nvlink_nominal", Bandwidth());
  node.nvlink_latency =
      fields.GetDuration("nvlink_latency", alone ? std::optional(Duration()) : std::nullopt);
  node.nics = static_cast<int>(fields.Integer("nics", 0, kMaxGpusPerNode,
                                              fabric ? std::nullopt : std::optional<int64_t>(0)));
  node.nic = fields.GetBandwidth("nic", fabric ? std::nullopt : std::optional(Bandwidth()));
  if (!Unknown(fields, "pcie", unknown)) node.pcie = fields.GetBandwidth("pcie");
  return node;
}

FabricKind ReadKind(Fields& fields) {
  std::vector<std::string> names;
  for (const FabricEntry* entry : FabricEntries()) names.push_back(entry->name);
  const std::string name = fields.Choice("kind", names);
  const auto found = std::find(names.begin(), names.end(), name);
  return FabricEntries()[static_cast<size_t>(found - names.begin())]->kind;
}

// Fields of another kind: read all the same, so that the error can say whose they are.
void RefuseFieldsOfOthers(Fields& fields, FabricKind kind) {
  const std::vector<std::pair<const char*, std::vector<FabricKind>>> owned = {
      {"planes", {FabricKind::kMultiPlane}},
      {"rail_optimized", {FabricKind::kFatTree}},
      {"levels", {FabricKind::kFatTree, FabricKind::kMultiPlane}},
      {"oversubscription", {FabricKind::kFatTree, FabricKind::kMultiPlane}},
      {"groups", {FabricKind::kDragonfly, FabricKind::kDragonflyPlus}},
      {"group_switches", {FabricKind::kDragonfly, FabricKind::kDragonflyPlus}},
      {"group_spines", {FabricKind::kDragonflyPlus}},
      {"global_cables", {FabricKind::kDragonfly, FabricKind::kDragonflyPlus}},
      {"dimensions", {FabricKind::kTorus}},
      {"switches", {FabricKind::kExplicit}}};
  for (const auto& [name, kinds] : owned) {
    if (!fields.Has(name) || std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) continue;
    std::string owners;
    for (FabricKind owner : kinds)
      owners += (owners.empty() ? "" : " and ") + std::string(EntryOf(owner).name);
    fields.Note(name, "is for kind " + owners + " only");
    fields.String(name, "");
  }
}

Fabric ReadFabric(Fields fields) {
  Fabric fabric;
  fabric.kind = ReadKind(fields);
  if (fabric.kind == FabricKind::kNone) return fabric;
  EntryOf(fabric.kind).read(fields, fabric);
  RefuseFieldsOfOthers(fields, fabric.kind);
  fabric.link_latency = fields.GetDuration("link_latency");
  fabric.switch_latency = fields.GetDuration("switch_latency");
  fabric.nic_latency = fields.GetDuration("nic_latency");
  return fabric;
}

// Of an explicit fabric: the largest ratio of what a switch's NICs carry to what its cables to
// other switches do, for models that see no more of a fabric than this.
double WorstOversubscription(const Cluster& cluster) {
  const auto& cabled = cluster.fabric.cabled;
  std::vector<double> up(cabled.size());
  for (size_t i = 0; i < cabled.size(); ++i) {
    for (const CabledSwitch::Up& cable : cabled[i].up) {
      const double rate =
          cable.rate.value() > 0 ? cable.rate.value() / cluster.node.nic.value() : 1;
      up[i] += rate * cable.cables;
      up[static_cast<size_t>(cable.to)] += rate * cable.cables;
    }
  }
  double worst = 1;
  for (size_t i = 0; i < cabled.size(); ++i) {
    const auto down = static_cast<double>(cabled[i].nics.size());
    if (up[i] > 0) worst = std::max(worst, down / up[i]);
  }
  return worst;
}

std::string WithoutSuffix(std::string_view name) {
  return std::string(name.substr(0, name.rfind('.')));
}

}  // namespace

Result<Cluster> ParseCluster(const Document& document) {
  Reader reader(document);
  Fields root = reader.Root();
  Cluster cluster;
  cluster.name = root.String("name");
  cluster.source = root.String("source", "");
  cluster.nodes = static_cast<int>(root.Integer("nodes", 1, kMaxNodes));
  cluster.gpu = ReadGpu(root.Object("gpu"), cluster.unknown);
  Fields fabric = root.Object("fabric");
  cluster.fabric = ReadFabric(fabric);
  Fields node = root.Object("node");
  cluster.node = ReadNode(node, cluster.fabric.kind != FabricKind::kNone, cluster.unknown);
  // What the faults mean can only be told when the whole is known.
  Fields faults = root.OptionalObject("faults");
  TakeFaults(faults);
  if (auto ok = reader.Finish(); !ok) return Fail(ok.error());
  auto built = CheckCluster(cluster);
  if (built && cluster.fabric.kind == FabricKind::kExplicit) {
    cluster.fabric.oversubscription = WorstOversubscription(cluster);
  }
  if (built && root.Has("faults")) {
    cluster.faults = ReadFaults(faults, cluster);
    if (auto ok = reader.Finish(); !ok) return Fail(ok.error());
    built = CheckCluster(cluster);
  }
  if (built) return cluster;
  // The check knows the field but not its place in the file.
  const std::string& field = built.error().field;
  const size_t dot = field.find('.');
  Fields& inside = dot == std::string::npos ? root : field.starts_with("node.") ? node : fabric;
  inside.Note(dot == std::string::npos ? field : field.substr(dot + 1), built.error().message);
  return Fail(reader.Finish().error());
}

Result<Document> LoadClusterDocument(const std::string& path_or_name) {
  struct stat info = {};
  const bool name = path_or_name.find_first_of("/.") == std::string::npos;
  if (name) {
    for (const auto& file : shipped::Files()) {
      if (WithoutSuffix(file.name) != path_or_name) continue;
      return ParseDocument(std::string(file.text), "shipped " + std::string(file.name));
    }
  }
  if (name && stat(path_or_name.c_str(), &info) != 0) {
    return Fail(Error{fmt::format("'{}' is neither a file nor a shipped topology{}",
                                  path_or_name.substr(0, 80),
                                  Suggestion(path_or_name, ShippedClusters()))});
  }
  return LoadDocument(path_or_name);
}

Result<Cluster> LoadCluster(const std::string& path_or_name) {
  auto document = LoadClusterDocument(path_or_name);
  if (!document) return Fail(document.error());
  return ParseCluster(*document);
}

std::vector<std::string> ShippedClusters() {
  std::vector<std::string> names;
  for (const auto& file : shipped::Files()) names.push_back(WithoutSuffix(file.name));
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace pipescope::topology
