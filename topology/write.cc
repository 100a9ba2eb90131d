#include "topology/write.h"

#include <fmt/format.h>

#include <algorithm>

#include "topology/fabric.h"

namespace pipescope::topology {
namespace {

std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    out += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  return out + "\"";
}

std::string Text(Bandwidth rate) { return fmt::format("{} GB/s", rate.value() / 1e9); }
std::string Text(FlopRate rate) { return fmt::format("{} TFLOPS", rate.value() / 1e12); }
std::string Text(Duration time) {
  const int64_t ps = time.picoseconds();
  if (ps % 1000 != 0) return fmt::format("{} ps", ps);
  return ps < 1'000'000 ? fmt::format("{} ns", ps / 1000)
                        : fmt::format("{} us", static_cast<double>(ps) / 1e6);
}
std::string Text(Bytes size) {
  const int64_t mebi = int64_t{1} << 20;
  if (size.value() % mebi == 0) return fmt::format("{} MiB", size.value() / mebi);
  return fmt::format("{} B", size.value());
}

std::string Listed(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + Quoted(item);
  return "[" + text + "]";
}

class Writer {
 public:
  explicit Writer(const Cluster& cluster) : cluster_(cluster) {}

  std::string Write() {
    text_ += "name: " + Quoted(cluster_.name) + "\n";
    if (!cluster_.source.empty()) text_ += "source: " + Quoted(cluster_.source) + "\n";
    text_ += fmt::format("nodes: {}\n", cluster_.nodes);
    WriteGpu();
    WriteNode();
    WriteFabric();
    WriteFaults();
    return text_;
  }

 private:
  void Line(const std::string& name, const std::string& value) {
    const std::string path = section_ + "." + name;
    const bool unknown =
        std::find(cluster_.unknown.begin(), cluster_.unknown.end(), path) != cluster_.unknown.end();
    text_ += "  " + name + ": " + (unknown ? "unknown" : value) + "\n";
  }
  void Number(const char* name, int64_t value) { Line(name, std::to_string(value)); }
  void Section(const char* name) {
    section_ = name;
    text_ += "\n" + section_ + ":\n";
  }

  void WriteGpu() {
    const Gpu& gpu = cluster_.gpu;
    Section("gpu");
    Line("name", Quoted(gpu.name));
    Number("sms", gpu.sms);
    Line("bf16", Text(gpu.bf16));
    if (gpu.fp8.value() > 0) Line("fp8", Text(gpu.fp8));
    Line("fp32", Text(gpu.fp32));
    Line("memory", Text(gpu.memory));
    Line("memory_bandwidth", Text(gpu.memory_bandwidth));
  }
  void WriteNode() {
    const Node& node = cluster_.node;
    Section("node");
    Number("gpus", node.gpus);
    Line("nvlink", Text(node.nvlink));
    if (node.nvlink_nominal.value() > 0) Line("nvlink_nominal", Text(node.nvlink_nominal));
    Line("nvlink_latency", Text(node.nvlink_latency));
    Number("nics", node.nics);
    if (node.nic.value() > 0) Line("nic", Text(node.nic));
    Line("pcie", Text(node.pcie));
  }
  void WriteFabric() {
    const Fabric& fabric = cluster_.fabric;
    Section("fabric");
    Line("kind", EntryOf(fabric.kind).name);
    if (fabric.kind == FabricKind::kNone) return;
    WriteShape();
    Line("link_latency", Text(fabric.link_latency));
    Line("switch_latency", Text(fabric.switch_latency));
    Line("nic_latency", Text(fabric.nic_latency));
    if (fabric.kind == FabricKind::kExplicit) WriteCabled();
  }
  void WriteShape() {
    const Fabric& fabric = cluster_.fabric;
    const FabricKind kind = fabric.kind;
    if (kind == FabricKind::kFatTree || kind == FabricKind::kMultiPlane) {
      if (kind == FabricKind::kMultiPlane) Number("planes", fabric.planes);
      Number("levels", fabric.levels);
      if (kind == FabricKind::kFatTree && fabric.rail_optimized) Line("rail_optimized", "true");
      Number("switch_ports", fabric.switch_ports);
      Line("oversubscription", fmt::format("{}", fabric.oversubscription));
    }
    if (kind == FabricKind::kDragonfly || kind == FabricKind::kDragonflyPlus) {
      Number("groups", fabric.groups);
      Number("group_switches", fabric.group_switches);
      if (kind == FabricKind::kDragonflyPlus) Number("group_spines", fabric.group_spines);
      Number("switch_nics", fabric.switch_nics);
      Number("global_cables", fabric.global_cables);
      Number("parallel_cables", fabric.parallel_cables);
      Number("switch_ports", fabric.switch_ports);
    }
    if (kind == FabricKind::kTorus) {
      Line("dimensions", fmt::format("[{}]", fmt::join(fabric.dimensions, ", ")));
      Number("switch_nics", fabric.switch_nics);
      Number("parallel_cables", fabric.parallel_cables);
    }
  }
  void WriteCabled() {
    text_ += "  switches:\n";
    for (const CabledSwitch& made : cluster_.fabric.cabled) {
      text_ += fmt::format("    - name: {}\n      level: {}\n", Quoted(made.name),
                           LevelName(made.level));
      if (!made.nics.empty()) text_ += "      nics: " + Listed(NicRanges(made.nics)) + "\n";
      if (made.up.empty()) continue;
      text_ += "      cables:\n";
      for (const CabledSwitch::Up& up : made.up) {
        std::string cable = cluster_.fabric.cabled[static_cast<size_t>(up.to)].name;
        cable += fmt::format(" x{}", up.cables);
        if (up.rate.value() > 0) cable += " at " + Text(up.rate);
        text_ += "        - " + Quoted(cable) + "\n";
      }
    }
  }
  void WriteFaults() {
    const Faults& faults = cluster_.faults;
    if (faults.empty()) return;
    const auto layout = MakeLayout(cluster_);
    Section("faults");
    std::vector<std::string> slow, switches, dead, slower;
    for (const auto& nic : faults.slow_nics) {
      slow.push_back(fmt::format("{}.{} at {}", nic.at.node, nic.at.nic, Text(nic.rate)));
    }
    for (int number : faults.dead_switches) switches.push_back(layout->NameOf(number));
    for (const auto& cable : faults.cables) {
      const std::string ends = layout->NameOf(cable.a) + " -- " + layout->NameOf(cable.b);
      if (cable.left == 0) dead.push_back(ends);
      if (cable.left > 0) slower.push_back(fmt::format("{} at {} %", ends, cable.left * 100));
    }
    if (!faults.dead_nics.empty()) Line("dead_nics", Listed(NicRanges(faults.dead_nics)));
    if (!slow.empty()) Line("slow_nics", Listed(slow));
    if (!switches.empty()) Line("dead_switches", Listed(switches));
    if (!dead.empty()) Line("dead_links", Listed(dead));
    if (!slower.empty()) Line("slow_links", Listed(slower));
  }

  const Cluster& cluster_;
  std::string section_;
  std::string text_;
};

}  // namespace

std::vector<std::string> NicRanges(std::vector<NicAt> nics) {
  std::sort(nics.begin(), nics.end(),
            [](NicAt a, NicAt b) { return std::pair(a.nic, a.node) < std::pair(b.nic, b.node); });
  std::vector<std::string> ranges;
  for (size_t i = 0; i < nics.size();) {
    size_t j = i + 1;
    while (j < nics.size() && nics[j].nic == nics[i].nic && nics[j].node == nics[j - 1].node + 1) {
      ++j;
    }
    const int first = nics[i].node;
    const int last = nics[j - 1].node;
    ranges.push_back(first == last ? fmt::format("{}.{}", first, nics[i].nic)
                                   : fmt::format("{}-{}.{}", first, last, nics[i].nic));
    i = j;
  }
  return ranges;
}

std::string ClusterYaml(const Cluster& cluster, const std::vector<std::string>& comments) {
  std::string text;
  for (const std::string& comment : comments) {
    text += comment.empty() ? "#\n"
                            : "# " + Quoted(comment).substr(1, Quoted(comment).size() - 2) + "\n";
  }
  return text + Writer(cluster).Write();
}

}  // namespace pipescope::topology
