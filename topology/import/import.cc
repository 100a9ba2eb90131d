#include "topology/import/import.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/names.h"
#include "sim/base/quantity.h"
#include "topology/check.h"
#include "topology/import/known_gpus.h"
#include "topology/import/sources.h"
#include "topology/load.h"
#include "topology/write.h"

namespace pipescope::topology {
namespace {

// By what only one of the formats has, wherever it stands.
std::string Detect(const std::string& text) {
  const auto has = [&](const char* word) { return text.find(word) != std::string::npos; };
  if (has("switchguid=") || has("caguid=") || has("Switch\t")) return "ibnetdiscover";
  if (has("<system") || has("<graphs") || text.starts_with("<")) return "nccl";
  if (has("GPU0")) return "nvidia-smi";
  return "";
}

class Import {
 public:
  Import(const std::string& file, const ImportOptions& options) : file_(file), options_(options) {
    cluster_.name = file.substr(file.find_last_of('/') + 1);
    cluster_.name = cluster_.name.substr(0, cluster_.name.rfind('.'));
    if (cluster_.name.empty()) cluster_.name = "imported";
  }

  Result<Imported> FromNode(const SourceNode& source, const std::string& from) {
    notes_ = source.notes;
    cluster_.source =
        fmt::format("imported from {} ({})", from, file_.substr(file_.find_last_of('/') + 1));
    cluster_.nodes = 1;
    cluster_.node.gpus = source.gpus;
    if (source.gpus > kMaxGpusPerNode) {
      return Fail(
          Error{fmt::format("{} GPUs; at most {} are supported", source.gpus, kMaxGpusPerNode),
                {file_, 0, 0}});
    }
    if (auto ok = FindGpu(source); !ok) return Fail(ok.error());
    SetNvlink(source);
    cluster_.node.pcie = source.pcie;
    if (source.pcie.value() == 0) Unknown("node.pcie", "the source does not tell PCIe's rate");
    SetNics(source);
    if (!options_.fabric.empty()) {
      if (auto ok = TakeFabric(); !ok) return Fail(ok.error());
    }
    return Finish();
  }

  Result<Imported> FromFabric(const SourceFabric& source) {
    notes_ = source.notes;
    cluster_.source =
        fmt::format("imported from ibnetdiscover ({})", file_.substr(file_.find_last_of('/') + 1));
    cluster_.nodes = static_cast<int>(source.hosts.size());
    if (auto ok = TakeNode(source); !ok) return Fail(ok.error());
    cluster_.node.nics = source.nics;
    cluster_.node.nic = source.nic;
    cluster_.fabric.kind = FabricKind::kExplicit;
    cluster_.fabric.cabled = source.switches;
    // As in the shipped InfiniBand topologies; ibnetdiscover does not measure.
    cluster_.fabric.link_latency = Microseconds(0.15);
    cluster_.fabric.switch_latency = Microseconds(0.3);
    cluster_.fabric.nic_latency = Microseconds(1.1);
    notes_.push_back("latencies are assumed: InfiniBand's of arXiv 2505.09343, Table 5");
    cluster_.faults.slow_nics = source.slow;
    for (size_t i = 0; i < source.hosts.size(); ++i) {
      hosts_.push_back(fmt::format("node {}: {}", i, source.hosts[i]));
    }
    return Finish();
  }

 private:
  void Unknown(const char* field, const std::string& why) {
    cluster_.unknown.push_back(field);
    notes_.push_back(fmt::format("{} is unknown: {}", field, why));
  }

  Status FindGpu(const SourceNode& source) {
    if (!options_.gpu.empty()) {
      known_ = FindByName(options_.gpu);
      if (known_ == nullptr) {
        return Fail(Error{fmt::format("--gpu '{}' is not known{}", options_.gpu.substr(0, 80),
                                      Suggestion(options_.gpu, KnownGpuNames()))});
      }
    } else if (!source.pci_device.empty()) {
      known_ = FindByPci(source.pci_device);
    }
    sm_ = source.sm;
    if (known_ != nullptr) {
      cluster_.gpu = known_->gpu;
      sm_ = known_->sm;
      notes_.push_back(fmt::format("the figures of {} are its data sheet's", known_->gpu.name));
      return {};
    }
    LeaveGpuUnknown(source);
    return {};
  }
  void LeaveGpuUnknown(const SourceNode& source) {
    std::string candidates;
    int fitting = 0;
    for (const KnownGpu& known : KnownGpus()) {
      const bool fits =
          (source.sm == 0 || known.sm == source.sm) &&
          (!source.nvlink_told || source.nvlinks == 0 || known.nvlinks == source.nvlinks);
      if (!fits) continue;
      ++fitting;
      candidates += (candidates.empty() ? "" : ", ") + known.gpu.name;
      if (sm_ == 0 || sm_ == known.sm) {
        sm_ = known.sm;
      } else {
        sm_ = -1;  // several generations fit
      }
    }
    sm_ = source.sm > 0 ? source.sm : std::max(sm_, 0);
    cluster_.gpu.name = "unknown";
    for (const char* field :
         {"gpu.sms", "gpu.bf16", "gpu.fp32", "gpu.memory", "gpu.memory_bandwidth"}) {
      cluster_.unknown.push_back(field);
    }
    notes_.push_back(
        fmt::format("gpu.sms, bf16, fp8, fp32, memory and memory_bandwidth are unknown: "
                    "the source does not name the GPU. Fill them in, or import with "
                    "--gpu NAME{}",
                    fitting == 0 || fitting > 6 ? "" : "; what fits: " + candidates));
  }

  void SetNvlink(const SourceNode& source) {
    Node& to = cluster_.node;
    if (source.gpus == 1) return;
    to.nvlink_latency = Microseconds(3.33);
    notes_.push_back("nvlink_latency is assumed: H800's of arXiv 2505.09343, Table 5");
    int links = source.nvlinks;
    if (!source.nvlink_told && known_ != nullptr) {
      links = known_->nvlinks;
      notes_.push_back(
          fmt::format("the source tells nothing of NVLink: the {} links of {} are taken", links,
                      known_->gpu.name));
    }
    if (!source.nvlink_told && known_ == nullptr) {
      return Unknown("node.nvlink", "the source tells neither NVLink nor the GPU");
    }
    if (links == 0 || source.uneven) {
      to.nvlink = source.pcie;
      notes_.push_back(
          links == 0 && !source.uneven
              ? "no NVLink: node.nvlink is PCIe's rate, over which GPUs meet"
              : "NVLink joins only some GPUs, or some with fewer links: node.nvlink is "
                "PCIe's rate, over which the others meet");
      if (source.pcie.value() == 0)
        Unknown("node.nvlink", "GPUs meet over PCIe, whose rate is not told");
      return;
    }
    if (LinkRate(sm_).value() == 0) {
      return Unknown("node.nvlink",
                     fmt::format("{} links a GPU, of which generation is not told", links));
    }
    to.nvlink = LinkRate(sm_) * links;
    to.nvlink_nominal = LinkNominalRate(sm_) * links;
    notes_.push_back(fmt::format("node.nvlink is {} links of {} each, which NCCL counts with",
                                 links, Format(LinkRate(sm_))));
  }

  // NICs must divide the GPUs: those that no GPU is near go first, several of a GPU become one.
  void SetNics(const SourceNode& source) {
    std::vector<SourceNode::Nic> nics = source.nics;
    const int gpus = source.gpus;
    const auto fits = [&] { return !nics.empty() && gpus % std::ssize(nics) == 0; };
    Bandwidth most;
    for (const auto& nic : nics) most = std::max(most, nic.rate);
    const auto drop = [&](const char* why, auto test) {
      const auto end = std::remove_if(nics.begin(), nics.end(), test);
      if (end == nics.end() || end == nics.begin()) return;
      notes_.push_back(
          fmt::format("{} of {} NICs are left out: {}", nics.end() - end, nics.size(), why));
      nics.erase(end, nics.end());
    };
    drop("slower than the others", [&](const auto& nic) { return nic.rate < most; });
    if (!fits()) drop("no GPU is near them", [](const auto& nic) { return !nic.near_gpu; });
    if (nics.empty()) return;
    auto count = static_cast<int>(nics.size());
    if (count > gpus && count % gpus == 0) {
      notes_.push_back(
          fmt::format("{} NICs of a GPU are one, with their summed rate", count / gpus));
      most = most * (count / gpus);
      count = gpus;
    }
    while (gpus % std::min(count, gpus) != 0 || count > gpus) --count;
    if (count < static_cast<int>(nics.size()) && static_cast<int>(nics.size()) % gpus != 0) {
      notes_.push_back(fmt::format("{} of {} NICs are counted: GPUs share NICs evenly here", count,
                                   nics.size()));
    }
    cluster_.node.nics = count;
    cluster_.node.nic = most;
    if (most.value() == 0) {
      notes_.push_back("node.nic is not told by the source: fill it in to join nodes by a fabric");
    }
  }

  Status TakeFabric() {
    auto other = LoadCluster(options_.fabric);
    if (!other) return Fail(other.error());
    cluster_.fabric = other->fabric;
    cluster_.nodes = options_.nodes > 0 ? options_.nodes : other->nodes;
    if (cluster_.node.nic.value() == 0) {
      cluster_.node.nic = other->node.nic;
      notes_.push_back(fmt::format("node.nic is that of {}", options_.fabric));
    }
    if (cluster_.node.nics == 0) {
      cluster_.node.nics = other->node.nics;
      notes_.push_back(
          fmt::format("the source lists no NIC: node.nics is that of {}", options_.fabric));
    }
    notes_.push_back(fmt::format("the fabric is that of {}", options_.fabric));
    return {};
  }

  Status TakeNode(const SourceFabric& source) {
    if (!options_.node.empty()) {
      auto other = LoadCluster(options_.node);
      if (!other) return Fail(other.error());
      cluster_.gpu = other->gpu;
      cluster_.node = other->node;
      cluster_.unknown = other->unknown;
      notes_.push_back(fmt::format("gpu and node are those of {}", options_.node));
      if (other->node.nics != source.nics) {
        notes_.push_back(fmt::format("a node has {} NICs there and {} in this network: the latter",
                                     other->node.nics, source.nics));
      }
      return {};
    }
    SourceNode node;
    if (auto ok = FindGpu(node); !ok) return ok;
    cluster_.node.gpus = source.nics;
    notes_.push_back("one GPU a NIC is assumed; a file for --node says more");
    cluster_.node.nvlink_latency = Microseconds(3.33);
    Unknown("node.nvlink", "ibnetdiscover sees no NVLink; give the node's file with --node");
    Unknown("node.pcie", "ibnetdiscover sees no PCIe; give the node's file with --node");
    return {};
  }

  Result<Imported> Finish() {
    if (auto ok = CheckCluster(cluster_); !ok) {
      Error error = ok.error();
      error.message = "what the file describes is no cluster: " + error.message;
      error.where = {file_, 0, 0};
      return Fail(error);
    }
    std::vector<std::string> comments = {"Imported by `pipescope topology import`."};
    for (const std::string& note : notes_) comments.push_back("- " + note);
    comments.insert(comments.end(), hosts_.begin(), hosts_.end());
    return Imported{cluster_, ClusterYaml(cluster_, comments), notes_};
  }

  std::string file_;
  const ImportOptions& options_;
  const KnownGpu* known_ = nullptr;
  int sm_ = 0;
  Cluster cluster_;
  std::vector<std::string> notes_;
  std::vector<std::string> hosts_;
};

}  // namespace

const std::vector<std::string>& ImportSources() {
  static const std::vector<std::string> kNames = {"nccl", "nvidia-smi", "ibnetdiscover"};
  return kNames;
}

Result<Imported> ImportTopology(const std::string& text, const std::string& file,
                                const ImportOptions& options) {
  const std::string from = options.from.empty() ? Detect(text) : options.from;
  if (from.empty()) {
    return Fail(
        Error{"neither NCCL's XML nor nvidia-smi's matrix nor ibnetdiscover's records; "
              "expected one of them",
              {file, 0, 0}});
  }
  Import import(file, options);
  if (from == "ibnetdiscover") {
    auto fabric = ReadIbNetDiscover(text, file);
    if (!fabric) return Fail(fabric.error());
    return import.FromFabric(*fabric);
  }
  auto node = from == "nccl" ? ReadNcclXml(text, file) : ReadTopoMatrix(text, file);
  if (!node) return Fail(node.error());
  return import.FromNode(*node, from == "nccl" ? "NCCL's topology XML" : "nvidia-smi topo -m");
}

}  // namespace pipescope::topology
