// `nvidia-smi topo -m`: a matrix of GPUs and NICs, and what happens to it on its way to us.
//
//   header   names of columns, then tail columns from "CPU Affinity" on, which old versions lack or
//            have one of; may be underlined by escape codes
//   rows     name, then X on the diagonal, NV# (bonded NVLinks), PIX, PXB, PHB, NODE, SYS (SOC of
//            old); NIC rows may be missing. Cells are read one after the other whether or not tabs
//            are left between them ("PXBNODE"), so that a lost tab does no harm.
//   NVLink   a GPU whose every peer is NV18 has 18 links to a switch, not 7 * 18: no GPU has more
//            than 18. Where c * peers <= 18 the links are taken as direct and are summed.
//
// Example: 8 GPUs with NV12 everywhere have 12 links each; 4 GPUs with NV4 everywhere have 12.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>

#include "topology/import/sources.h"

namespace pipescope::topology {
namespace {

constexpr int kMostLinks = 18;  // of any GPU up to Blackwell
constexpr size_t kMostColumns = 2048;

bool Blank(char c) { return c == ' ' || c == '\t'; }

size_t DigitsEnd(std::string_view text, size_t at) {
  while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at]))) ++at;
  return at;
}

// The length of a GPU's, NIC's or Mellanox device's name at the start of `text`; 0: none.
size_t NameLength(std::string_view text) {
  for (std::string_view prefix : {"GPU", "NIC", "mlx"}) {
    if (!text.starts_with(prefix)) continue;
    size_t end = DigitsEnd(text, prefix.size());
    if (end == prefix.size()) return 0;
    if (prefix != "mlx") return end;
    if (end >= text.size() || text[end] != '_') return 0;
    const size_t last = DigitsEnd(text, end + 1);
    return last == end + 1 ? 0 : last;
  }
  return 0;
}

struct Cell {
  enum class Kind { kSelf, kNvlink, kSwitch, kFar } kind = Kind::kFar;
  int links = 0;
};

// Reads one cell and moves `at` behind it.
std::optional<Cell> ReadCell(std::string_view line, size_t& at) {
  while (at < line.size() && Blank(line[at])) ++at;
  const std::string_view rest = line.substr(at);
  if (rest.starts_with("NV")) {
    size_t end = DigitsEnd(rest, 2);
    // A lost tab before "0-31": no more digits than links there can be.
    while (end > 3 && (end > 4 || std::stoi(std::string(rest.substr(2, end - 2))) > kMostLinks)) {
      --end;
    }
    if (end == 2) return std::nullopt;
    at += end;
    return Cell{Cell::Kind::kNvlink, std::stoi(std::string(rest.substr(2, end - 2)))};
  }
  const std::pair<std::string_view, Cell::Kind> known[] = {
      {"X", Cell::Kind::kSelf},  {"PIX", Cell::Kind::kSwitch}, {"PXB", Cell::Kind::kSwitch},
      {"PHB", Cell::Kind::kFar}, {"NODE", Cell::Kind::kFar},   {"SYS", Cell::Kind::kFar},
      {"SOC", Cell::Kind::kFar}, {"N/A", Cell::Kind::kFar}};
  for (const auto& [word, kind] : known) {
    if (!rest.starts_with(word)) continue;
    at += word.size();
    return Cell{kind, 0};
  }
  return std::nullopt;
}

class MatrixReader {
 public:
  explicit MatrixReader(const std::string& file) : file_(file) {}

  Result<SourceNode> Read(const std::string& text) {
    const std::vector<std::string> lines = CleanLines(text);
    for (size_t i = 0; i < lines.size() && !error_; ++i) {
      line_ = static_cast<int>(i) + 1;
      if (lines[i].find("Legend:") != std::string::npos) ReadLegend(lines, i);
      if (lines[i].starts_with("Legend:")) break;
      names_.empty() ? ReadHeader(lines[i]) : ReadRow(lines[i]);
    }
    if (!error_) Check();
    if (error_) return Fail(*error_);
    return Summary();
  }

 private:
  void Wrong(const std::string& message) {
    if (!error_) error_ = Error{message, {file_, line_, 0}};
  }

  // A header starts with GPU0 and has more columns, or a tail: a row has cells after its name.
  void ReadHeader(const std::string& line) {
    const size_t tail = line.find("CPU Affinity");
    const std::string_view head = std::string_view(line).substr(0, tail);
    size_t at = 0;
    while (at < head.size() && Blank(head[at])) ++at;
    if (!head.substr(at).starts_with("GPU0")) return;
    std::vector<std::string> names;
    while (at < head.size()) {
      size_t length = NameLength(head.substr(at));
      const bool own = length > 0;
      // NICs of other makers: whatever stands between two blanks.
      while (!own && at + length < head.size() && !Blank(head[at + length])) ++length;
      const auto name = std::string(head.substr(at, length));
      if (name == "X" || name.starts_with("NV")) return;  // a row
      if (name == "NUMA" || name == "CPU" || name == "GPU") break;
      names.push_back(name);
      at += length;
      while (at < head.size() && Blank(head[at])) ++at;
      if (names.size() > kMostColumns) return Wrong("more than 2048 columns");
    }
    names_ = std::move(names);
    header_line_ = line_;
    for (const std::string& name : names_) gpus_ += name.starts_with("GPU");
    for (size_t i = 0; i < names_.size(); ++i) {
      const bool in_place = (i < static_cast<size_t>(gpus_)) == names_[i].starts_with("GPU");
      if (!in_place || !columns_.emplace(names_[i], i).second) {
        return Wrong(
            fmt::format("the header names '{}' twice or out of order", names_[i].substr(0, 80)));
      }
      if (in_place && names_[i].starts_with("GPU") && names_[i] != fmt::format("GPU{}", i)) {
        return Wrong(
            fmt::format("column {} is '{}'; expected GPU{}", i + 1, names_[i].substr(0, 80), i));
      }
    }
  }

  void ReadRow(const std::string& line) {
    size_t at = 0;
    while (at < line.size() && Blank(line[at])) ++at;
    if (at == line.size()) return;
    std::string_view rest = std::string_view(line).substr(at);
    size_t length = NameLength(rest);
    while (length == 0 && at + length < line.size() && !Blank(rest[length])) {
      size_t end = 0;
      while (end < rest.size() && !Blank(rest[end])) ++end;
      length = end;
    }
    const auto name = std::string(rest.substr(0, length));
    const auto found = columns_.find(name);
    if (found == columns_.end()) {
      return Wrong(fmt::format("'{}' is no column of the header on line {}", name.substr(0, 80),
                               header_line_));
    }
    at += length;
    std::vector<Cell> cells;
    while (cells.size() < names_.size()) {
      const auto cell = ReadCell(line, at);
      if (!cell) {
        return Wrong(
            fmt::format("row {} has {} cells that can be read; the header on line {} has "
                        "{} columns",
                        name, cells.size(), header_line_, names_.size()));
      }
      const bool diagonal = cells.size() == found->second;
      if ((cell->kind == Cell::Kind::kSelf) != diagonal) {
        return Wrong(fmt::format("row {}: column {} {} X", name, names_[cells.size()],
                                 diagonal ? "is not" : "is"));
      }
      cells.push_back(*cell);
    }
    if (!rows_.emplace(found->second, std::move(cells)).second) {
      Wrong(fmt::format("a second row {}", name));
    }
  }

  // "  NIC0: mlx5_0" after "NIC Legend:".
  void ReadLegend(const std::vector<std::string>& lines, size_t from) {
    for (size_t i = from; i < lines.size(); ++i) {
      size_t at = 0;
      while (at < lines[i].size() && Blank(lines[i][at])) ++at;
      const size_t colon = lines[i].find(": ", at);
      if (colon == std::string::npos || !columns_.contains(lines[i].substr(at, colon - at)))
        continue;
      devices_[lines[i].substr(at, colon - at)] = lines[i].substr(colon + 2);
    }
  }

  void Check() {
    if (names_.empty()) {
      line_ = 0;
      return Wrong("no header: expected the matrix of `nvidia-smi topo -m`, which names GPU0");
    }
    const auto gpus = static_cast<size_t>(gpus_);
    for (size_t i = 0; i < gpus; ++i) {
      if (rows_.contains(i)) continue;
      return Wrong(fmt::format("the row of GPU{} is missing", i));
    }
    for (size_t i = 0; i < gpus; ++i) {
      for (size_t j = 0; j < i; ++j) {
        if (rows_[i][j].kind == rows_[j][i].kind && rows_[i][j].links == rows_[j][i].links)
          continue;
        line_ = header_line_;
        return Wrong(fmt::format("GPU{} and GPU{} disagree on what joins them", j, i));
      }
    }
  }

  // Links of one GPU, and whether every other GPU is reached over them.
  std::pair<int, bool> LinksOf(size_t gpu) {
    int sum = 0;
    int most = 0;
    bool all = true;
    for (size_t peer = 0; peer < static_cast<size_t>(gpus_); ++peer) {
      if (peer == gpu) continue;
      const Cell& cell = rows_[gpu][peer];
      if (cell.kind != Cell::Kind::kNvlink) all = false;
      sum += cell.links;
      most = std::max(most, cell.links);
    }
    return {sum <= kMostLinks ? sum : most, all};
  }

  SourceNode Summary() {
    SourceNode node;
    node.gpus = gpus_;
    node.nvlink_told = true;
    for (size_t gpu = 0; gpu < static_cast<size_t>(gpus_); ++gpu) {
      const auto [links, all] = LinksOf(gpu);
      if (gpu == 0) node.nvlinks = links;
      if (links != node.nvlinks || (links > 0 && !all)) node.uneven = true;
      node.nvlinks = std::min(node.nvlinks, links);
    }
    for (size_t i = static_cast<size_t>(gpus_); i < names_.size(); ++i) {
      const auto device = devices_.find(names_[i]);
      SourceNode::Nic nic = {device == devices_.end() ? names_[i] : device->second, {}, false};
      for (size_t gpu = 0; gpu < static_cast<size_t>(gpus_); ++gpu) {
        if (rows_[gpu][i].kind == Cell::Kind::kSwitch) nic.near_gpu = true;
      }
      node.nics.push_back(nic);
    }
    return node;
  }

  std::string file_;
  std::optional<Error> error_;
  int line_ = 0;
  int header_line_ = 0;
  int gpus_ = 0;
  std::vector<std::string> names_;
  std::map<std::string, size_t> columns_;
  std::map<size_t, std::vector<Cell>> rows_;
  std::map<std::string, std::string> devices_;
};

}  // namespace

Result<SourceNode> ReadTopoMatrix(const std::string& text, const std::string& file) {
  return MatrixReader(file).Read(text);
}

}  // namespace pipescope::topology
