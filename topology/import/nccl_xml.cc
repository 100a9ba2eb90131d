// NCCL's topology XML, as src/graph/xml.cc of NVIDIA/nccl writes and reads it:
//
//   <system version="1"><cpu ...><pci busid class link_speed link_width> nested <pci>
//     <gpu dev sm rank> <nvlink target count tclass/> </gpu>     <nic><net name speed port/></nic>
//
// A <pci> of class 0x0302.. is a GPU whether or not it holds a <gpu>; 0x0200.. and 0x0207.. are
// NICs, whether or not they hold a <nic>. net.speed is in Mb/s. A PCIe link of s GT/s and w lanes
// carries s * w / 8 GB/s times 128/130 (8/10 up to 5 GT/s); where the speed is not readable NCCL
// takes 8 GT/s, and so does this. Limits are NCCL's: strings of 255 bytes, 16 attributes.
//
// Example: "32.0 GT/s PCIe" and 16 lanes are 63.02 GB/s.
#include <expat.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "topology/import/sources.h"

namespace pipescope::topology {
namespace {

constexpr size_t kMostAttributes = 16;
constexpr size_t kLongestValue = 255;
constexpr size_t kMostElements = 100'000;
constexpr size_t kDeepest = 64;

using Attributes = std::map<std::string, std::string>;

struct Pci {
  std::string busid, kind, device, speed, width;
  size_t parent = 0;  // index + 1; 0: directly under a <cpu>
  bool gpu = false;
  int sm = 0;
  std::vector<std::pair<std::string, int>> links;  // NVLink target, count
  std::vector<SourceNode::Nic> nets;
  bool nic = false;

  bool IsGpu() const { return gpu || kind.starts_with("0x0302"); }
  bool IsNic() const { return nic || kind.starts_with("0x0200") || kind.starts_with("0x0207"); }
};

std::optional<double> LeadingNumber(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !(value >= 0) || value > 1e9) return std::nullopt;
  return value;
}

class NcclReader {
 public:
  explicit NcclReader(const std::string& file) : file_(file), parser_(XML_ParserCreate(nullptr)) {
    XML_SetUserData(parser_.get(), this);
    XML_SetElementHandler(
        parser_.get(),
        [](void* self, const XML_Char* name, const XML_Char** list) {
          static_cast<NcclReader*>(self)->Start(name, list);
        },
        [](void* self, const XML_Char*) { static_cast<NcclReader*>(self)->End(); });
    // A topology has no document type; with none there are no entities that could unfold.
    XML_SetStartDoctypeDeclHandler(
        parser_.get(), [](void* self, const XML_Char*, const XML_Char*, const XML_Char*, int) {
          static_cast<NcclReader*>(self)->Wrong("a document type is not expected here");
        });
  }

  Result<SourceNode> Read(const std::string& text) {
    const bool good =
        XML_Parse(parser_.get(), text.data(), static_cast<int>(text.size()), 1) == XML_STATUS_OK;
    if (error_) return Fail(*error_);
    if (!good)
      Wrong(
          fmt::format("not well-formed XML: {}", XML_ErrorString(XML_GetErrorCode(parser_.get()))));
    if (!error_ && Gpus() == 0) Wrong("no GPU: expected a pci of class 0x0302 or a gpu");
    if (error_) return Fail(*error_);
    return Summary();
  }

 private:
  void Wrong(const std::string& message) {
    if (error_) return;
    error_ = Error{message,
                   {file_, static_cast<int>(XML_GetCurrentLineNumber(parser_.get())),
                    static_cast<int>(XML_GetCurrentColumnNumber(parser_.get())) + 1}};
    XML_StopParser(parser_.get(), XML_FALSE);
  }

  void Start(const std::string& name, const XML_Char** list) {
    Attributes attributes;
    for (size_t i = 0; list[i] != nullptr; i += 2) {
      attributes[list[i]] = list[i + 1];
      if (i / 2 >= kMostAttributes) return Wrong("more than 16 attributes; NCCL reads no more");
      if (std::string_view(list[i + 1]).size() > kLongestValue) {
        return Wrong(
            fmt::format("{}: longer than {} bytes; NCCL reads no more", list[i], kLongestValue));
      }
    }
    if (++elements_ > kMostElements) return Wrong("more than 100000 elements");
    if (open_.size() >= kDeepest) return Wrong("more than 64 elements inside one another");
    if (open_.empty()) Root(name, attributes);
    if (name == "cpu") host_ = attributes["host_hash"];
    if (!host_.empty()) hosts_.insert(host_);
    if (name == "pci") AddPci(attributes);
    if (name == "gpu") AddGpu(attributes);
    if (name == "nvlink") AddNvlink(attributes);
    if (name == "nic" && inside_ > 0) pcis_[inside_ - 1].nic = true;
    if (name == "net") AddNet(attributes);
    open_.push_back(name == "pci" ? inside_ : 0);
  }
  void End() {
    if (open_.empty()) return;
    if (open_.back() > 0) inside_ = pcis_[open_.back() - 1].parent;
    open_.pop_back();
  }

  void Root(const std::string& name, Attributes& attributes) {
    if (name == "graphs") {
      return Wrong(
          "these are NCCL's graphs (NCCL_GRAPH_FILE); expected its topology, whose root "
          "is <system>");
    }
    if (name != "system") return Wrong(fmt::format("root <{}>; expected <system>", name));
    if (attributes["version"] != "1") {
      Wrong(fmt::format("system version '{}'; expected 1", attributes["version"]));
    }
  }
  void AddPci(Attributes& attributes) {
    Pci pci;
    pci.busid = attributes["busid"];
    pci.kind = attributes["class"];
    pci.device = attributes["device"];
    pci.speed = attributes["link_speed"];
    pci.width = attributes["link_width"];
    pci.parent = inside_;
    if (pci.busid.empty()) return Wrong("a pci without a busid");
    if (!busids_.insert(host_ + " " + pci.busid).second && !pci.busid.starts_with("ffff")) {
      return Wrong(fmt::format("busid '{}' is that of another pci", pci.busid));
    }
    pcis_.push_back(std::move(pci));
    inside_ = pcis_.size();
  }
  void AddGpu(Attributes& attributes) {
    if (inside_ == 0) return Wrong("a gpu outside a pci");
    Pci& pci = pcis_[inside_ - 1];
    pci.gpu = told_ = true;
    if (attributes["sm"].empty()) return;
    const auto sm = LeadingNumber(attributes["sm"]);
    if (!sm || *sm > 1000)
      return Wrong(fmt::format("gpu sm '{}'; expected such as 90", attributes["sm"]));
    pci.sm = static_cast<int>(*sm);
  }
  void AddNvlink(Attributes& attributes) {
    if (inside_ == 0) return Wrong("an nvlink outside a gpu");
    const auto count = LeadingNumber(attributes["count"]);
    if (!count || *count < 1 || *count > 64) {
      return Wrong(fmt::format("nvlink count '{}'; expected a whole number from 1 to 64",
                               attributes["count"]));
    }
    pcis_[inside_ - 1].links.emplace_back(attributes["target"], static_cast<int>(*count));
  }
  void AddNet(Attributes& attributes) {
    const auto speed = LeadingNumber(attributes["speed"]);
    // NCCL itself writes -1 where the driver does not tell.
    if (!attributes["speed"].empty() && attributes["speed"] != "-1" && !speed) {
      return Wrong(
          fmt::format("net speed '{}'; expected Mb/s, such as 400000", attributes["speed"]));
    }
    const SourceNode::Nic nic = {attributes["name"], Bandwidth(speed.value_or(0) * 1e6 / 8), false};
    if (inside_ > 0) pcis_[inside_ - 1].nets.push_back(nic);  // else a socket, or a NIC of a VM
  }

  int Gpus() const {
    return static_cast<int>(
        std::count_if(pcis_.begin(), pcis_.end(), [](const Pci& pci) { return pci.IsGpu(); }));
  }
  Bandwidth PcieRate(const Pci& pci, std::vector<std::string>& notes) const {
    auto transfers = LeadingNumber(pci.speed);
    if (!transfers || *transfers < 1) {
      const auto note =
          fmt::format("link_speed '{}' is not readable: 8 GT/s are taken, as NCCL does", pci.speed);
      if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
      transfers = 8;
    }
    const double lanes = LeadingNumber(pci.width).value_or(0) > 0 ? *LeadingNumber(pci.width) : 16;
    const double coding = *transfers <= 5 ? 0.8 : 128.0 / 130.0;
    return GigabytesPerSecond(*transfers * lanes / 8 * coding);
  }
  // Whether some GPU hangs below the topmost bridge that this device hangs below.
  bool NearGpu(size_t device) const {
    const auto top = [&](size_t i) {
      while (pcis_[i].parent > 0) i = pcis_[i].parent - 1;
      return i;
    };
    const size_t root = top(device);
    if (root == device) return false;
    for (size_t i = 0; i < pcis_.size(); ++i) {
      if (pcis_[i].IsGpu() && i != root && top(i) == root) return true;
    }
    return false;
  }
  void Summarize(const Pci& pci, SourceNode& node) {
    const Bandwidth pcie = PcieRate(pci, node.notes);
    int links = 0;
    for (const auto& [target, count] : pci.links) links += count;
    if (node.gpus == 0) {
      node.pci_device = pci.device;
      node.sm = pci.sm;
      node.pcie = pcie;
      node.nvlinks = links;
    }
    ++node.gpus;
    node.pcie = std::min(node.pcie, pcie);
    if (node.nvlinks != links) node.uneven = true;
    node.nvlinks = std::min(node.nvlinks, links);
    if (pci.device != node.pci_device || pci.sm != node.sm) {
      node.notes.push_back(
          fmt::format("GPU {} is of another kind than the first: all are taken "
                      "as the first",
                      pci.busid));
    }
  }
  SourceNode Summary() {
    SourceNode node;
    node.nvlink_told = told_;
    for (size_t i = 0; i < pcis_.size(); ++i) {
      const Pci& pci = pcis_[i];
      if (pci.IsGpu()) Summarize(pci, node);
      if (!pci.IsNic()) continue;
      std::vector<SourceNode::Nic> nets = pci.nets;
      if (nets.empty()) nets.push_back({pci.busid, {}, false});
      for (SourceNode::Nic& net : nets) {
        net.near_gpu = NearGpu(i);
        node.nics.push_back(net);
      }
    }
    if (hosts_.size() > 1) {
      node.notes.push_back(fmt::format(
          "{} hosts in one file: taken as one node, which NVLink joins", hosts_.size()));
    }
    return node;
  }

  struct FreeParser {
    void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
  };
  std::string file_;
  std::unique_ptr<std::remove_pointer_t<XML_Parser>, FreeParser> parser_;
  std::optional<Error> error_;
  std::vector<Pci> pcis_;
  std::set<std::string> busids_, hosts_;
  std::string host_;          // of the cpu that is read
  std::vector<size_t> open_;  // of each open element, the pci it is, index + 1, or 0
  size_t inside_ = 0;         // the innermost open pci, index + 1
  size_t elements_ = 0;
  bool told_ = false;  // some <gpu> is there, so that missing <nvlink> means none
};

}  // namespace

Result<SourceNode> ReadNcclXml(const std::string& text, const std::string& file) {
  return NcclReader(file).Read(text);
}

}  // namespace pipescope::topology
