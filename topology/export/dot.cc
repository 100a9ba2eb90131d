#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <vector>

#include "sim/base/quantity.h"
#include "topology/export/export.h"
#include "topology/links.h"

namespace pipescope::topology {
namespace {

// Nodes and switches as boxes, some folded together.
class Picture {
 public:
  explicit Picture(const Cluster& cluster) : cluster_(cluster), layout_(MakeLayout(cluster)) {
    const int switches = layout_ == nullptr ? 0 : layout_->switches();
    const LinkTable links(cluster, layout_.get());
    const VertexIds ids(cluster);
    box_.resize(static_cast<size_t>(cluster.nodes + switches));
    std::iota(box_.begin(), box_.end(), 0);
    for (LinkId id = 0; id < links.size(); id += 2) {
      const Link link = links[id];
      if (link.from < ids.nic(0, 0)) continue;  // inside a node
      const int from = link.from < ids.fabric_switch(0)
                           ? (link.from - ids.nic(0, 0)) / ids.nics_per_node()
                           : cluster.nodes + link.from - ids.fabric_switch(0);
      const bool live = link.capacity.value() > 0;
      bundles_.push_back({from, cluster.nodes + link.to - ids.fabric_switch(0), link.cables, live});
    }
    while (Fold()) {
    }
  }

  int boxes() const {
    int count = 0;
    for (size_t i = 0; i < box_.size(); ++i) count += box_[i] == static_cast<int>(i);
    return count;
  }

  std::string Draw() const {
    std::string text = "graph cluster {\n";
    text +=
        fmt::format("  label=\"{}\"; labelloc=t; rankdir=BT; ranksep=1.2;\n", Safe(cluster_.name));
    text += "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\"];\n";
    text += "  edge [fontname=\"Helvetica\", fontsize=10];\n";
    std::map<int, std::vector<int>> members;
    for (size_t i = 0; i < box_.size(); ++i) members[box_[i]].push_back(static_cast<int>(i));
    for (const auto& [box, all] : members) {
      text +=
          fmt::format("  b{} [label=\"{}\", fillcolor=\"{}\"];\n", box, Label(all), Colour(box));
    }
    std::map<std::tuple<int, int, bool>, int64_t> lines;
    for (const Bundle& bundle : bundles_) {
      lines[{BoxOf(bundle.from), BoxOf(bundle.to), bundle.live}] += bundle.cables;
    }
    for (const auto& [line, cables] : lines) {
      const auto& [from, to, live] = line;
      text += fmt::format("  b{} -- b{} [label=\"{}{}\"{}];\n", from, to, cables,
                          live ? "" : " dead", live ? "" : ", style=dashed, color=red");
    }
    return text + "}\n";
  }

 private:
  struct Bundle {
    int from, to, cables;
    bool live;
  };

  int BoxOf(int item) const { return box_[static_cast<size_t>(item)]; }
  int KindOf(int item) const {
    return item < cluster_.nodes ? -1 : static_cast<int>(layout_->LevelOf(item - cluster_.nodes));
  }
  // Joins boxes that look alike: the same kind, as many parts, the same neighbours. True where some
  // were.
  bool Fold() {
    std::map<int, std::map<std::pair<int, bool>, int64_t>> near;
    for (const Bundle& bundle : bundles_) {
      near[BoxOf(bundle.from)][{BoxOf(bundle.to), bundle.live}] += bundle.cables;
      near[BoxOf(bundle.to)][{BoxOf(bundle.from), bundle.live}] += bundle.cables;
    }
    std::map<int, int> parts;
    for (int box : box_) ++parts[box];
    using Look = std::tuple<int, int, std::map<std::pair<int, bool>, int64_t>>;
    std::map<Look, int> seen;
    std::vector<int> onto(box_.size());
    bool folded = false;
    for (const auto& [box, count] : parts) {
      const auto [found, fresh] = seen.emplace(Look{KindOf(box), count, near[box]}, box);
      onto[static_cast<size_t>(box)] = found->second;
      folded |= !fresh;
    }
    for (int& box : box_) box = onto[static_cast<size_t>(box)];
    return folded;
  }

  static std::string Safe(const std::string& text) {
    std::string safe;
    for (char c : text) {
      if (c == '"' || c == '\\') safe += '\\';
      safe += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return safe;
  }
  std::string Label(const std::vector<int>& all) const {
    const int first = all.front();
    const Node& node = cluster_.node;
    if (first >= cluster_.nodes) {
      const std::string name = Safe(layout_->NameOf(first - cluster_.nodes));
      if (all.size() == 1) return name;
      return fmt::format("{} switches\\n{} ... {}", all.size(), name,
                         Safe(layout_->NameOf(all.back() - cluster_.nodes)));
    }
    const std::string inside = fmt::format(
        "{} GPUs, NVLink {}", node.gpus, node.nvlink.value() > 0 ? Format(node.nvlink) : "unknown");
    if (all.size() == 1) return fmt::format("node {}\\n{}", first, inside);
    const bool run = all.back() - first + 1 == static_cast<int>(all.size());
    return fmt::format("{} nodes\\n{} {} {}\\n{} each", all.size(), first, run ? "to" : "...",
                       all.back(), inside);
  }
  const char* Colour(int box) const {
    constexpr const char* kByLevel[] = {"#cfe8cf", "#cfdcf2", "#e6d4f0", "#cfdcf2"};
    const int kind = KindOf(box);
    return kind < 0 ? "#f2ead0" : kByLevel[kind];
  }

  const Cluster& cluster_;
  std::unique_ptr<FabricLayout> layout_;
  std::vector<int> box_;  // of each node and switch, the first item that is folded into it
  std::vector<Bundle> bundles_;
};

}  // namespace

Result<std::string> Dot(const Cluster& cluster, int limit) {
  const Picture picture(cluster);
  if (picture.boxes() <= limit) return picture.Draw();
  return Fail(
      Error{fmt::format("the picture has {} boxes after folding what is alike; at most {} "
                        "are drawn unless --limit says more",
                        picture.boxes(), limit)});
}

}  // namespace pipescope::topology
