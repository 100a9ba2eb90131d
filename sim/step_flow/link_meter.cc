#include "sim/step_flow/link_meter.h"

#include <algorithm>

#include "topology/fabric.h"
#include "topology/links.h"

namespace pipescope {
namespace {

using timeline::OperationKind;

constexpr OperationKind kWorks[] = {OperationKind::kDispatch, OperationKind::kCombine,
                                    OperationKind::kMessage, OperationKind::kCollective};
constexpr const char* kWorkNames[] = {"dispatch", "combine", "pipeline message",
                                      "gradient / parameter collective"};
constexpr size_t kMostCounted = 4096;  // patterns kept alive until their links are added up

size_t WorkOf(OperationKind kind) {
  const auto at = std::find(std::begin(kWorks), std::end(kWorks), kind);
  return static_cast<size_t>(at - std::begin(kWorks)) % std::size(kWorks);
}

// The level of a vertex.
class Levels {
 public:
  explicit Levels(const topology::Cluster& cluster)
      : ids_(cluster), layout_(topology::MakeLayout(cluster)) {}
  std::string Of(int vertex) const {
    if (vertex < ids_.gpus()) return "GPU";
    if (vertex < ids_.gpus() + ids_.nvlink_switches()) return "NVLink switch";
    const int number = vertex - ids_.fabric_switch(0);
    return number < 0 ? "NIC" : topology::LevelName(layout_->LevelOf(number));
  }

 private:
  topology::VertexIds ids_;
  std::unique_ptr<topology::FabricLayout> layout_;
};

std::string NameOf(const std::string& from, const std::string& to) {
  if (to == "NVLink switch") return "NVLink out";
  if (from == "NVLink switch") return "NVLink in";
  if (from == "GPU") return "PCIe out";
  if (to == "GPU") return "PCIe in";
  if (from == "NIC") return "NIC out";
  if (to == "NIC") return "NIC in";
  return from + " to " + to;
}

}  // namespace

LinkMeter::LinkMeter(const Experiment& experiment, const TaskGraph& graph,
                     const StepNetwork& network)
    : graph_(graph), network_(network.network()) {
  const topology::LinkTable& links = network.router().links();
  const Levels levels(experiment.cluster);
  class_of_.assign(network_.links.size(), -1);
  link_bytes_.resize(network_.links.size());
  for (const char* name : kWorkNames) use_.works.emplace_back(name);
  std::map<std::pair<std::string, std::string>, int32_t> known;
  for (int l = 0; l < links.size(); ++l) {
    const topology::Link link = links[l];
    std::string from = levels.Of(link.from), to = levels.Of(link.to);
    const auto [at, is_new] =
        known.try_emplace({from, to}, static_cast<int32_t>(use_.classes.size()));
    if (is_new) use_.classes.push_back({NameOf(from, to), from, to, 0, {}, {}, {}, 0, {}});
    LinkUse::Class& its = use_.classes[static_cast<size_t>(at->second)];
    class_of_[static_cast<size_t>(l)] = at->second;
    its.capacity += network_.links[static_cast<size_t>(l)];
    ++its.links;
  }
  slices_.assign(use_.classes.size(), std::vector<double>(kSlices));
  works_.assign(use_.classes.size(), std::vector<double>(std::size(kWorks)));
  ranks_.assign(use_.classes.size(), std::vector<double>(static_cast<size_t>(graph.ranks)));
}

// Bytes by class.
std::vector<double> LinkMeter::Sum(const Transfers& transfers, int64_t first, int64_t count) const {
  std::vector<double> bytes(use_.classes.size());
  const flow::FlowBatch& batch = transfers.pattern->batch();
  for (int64_t f = first; f < first + count; ++f) {
    const auto route = batch.Route(f);
    const auto weights = batch.Weights(f);
    const auto moved = static_cast<double>(batch.bytes[static_cast<size_t>(f)].value());
    for (size_t k = 0; k < route.size(); ++k) {
      const int32_t its = class_of_[static_cast<size_t>(route[k])];
      if (its < 0) continue;
      bytes[static_cast<size_t>(its)] += moved * (weights.empty() ? 1 : weights[k]);
    }
  }
  return bytes;
}

void LinkMeter::AddToLinks(const Transfers& transfers, int64_t first, int64_t count,
                           int64_t times) {
  const flow::FlowBatch& batch = transfers.pattern->batch();
  for (int64_t f = first; f < first + count; ++f) {
    const auto route = batch.Route(f);
    const auto weights = batch.Weights(f);
    const auto moved = static_cast<double>(batch.bytes[static_cast<size_t>(f)].value());
    for (size_t k = 0; k < route.size(); ++k) {
      link_bytes_[static_cast<size_t>(route[k])] +=
          moved * (weights.empty() ? 1 : weights[k]) * static_cast<double>(times);
    }
  }
}

void LinkMeter::Add(const Task& task, const std::shared_ptr<const Transfers>& transfers,
                    int64_t first, int64_t count, Duration start, Duration end) {
  std::vector<double> part;
  const bool whole = count == transfers->size();
  if (whole) {
    Counted& counted = counted_[transfers.get()];
    if (counted.transfers == nullptr) {
      counted = {transfers, Sum(*transfers, 0, count), 0};
    }
    ++counted.runs;
    part = counted.by_class;
    if (counted_.size() > kMostCounted) Flush();
  } else {
    part = Sum(*transfers, first, count);
    AddToLinks(*transfers, first, count, 1);
  }
  const auto& label =
      graph_.labels[static_cast<size_t>(graph_.templates[static_cast<size_t>(task.templ)].label)];
  Widen(end.seconds());
  for (size_t c = 0; c < part.size(); ++c) {
    if (part[c] == 0) continue;
    works_[c][WorkOf(label.kind)] += part[c];
    ranks_[c][static_cast<size_t>(task.rank)] += part[c];
    Spread(slices_[c], start.seconds() / slice_, end.seconds() / slice_, part[c]);
  }
}

void LinkMeter::Flush() {
  for (const auto& [key, counted] : counted_) {
    AddToLinks(*counted.transfers, 0, counted.transfers->size(), counted.runs);
  }
  counted_.clear();
}

void LinkMeter::Widen(double end) {
  while (end > slice_ * kSlices) {
    slice_ *= 2;
    for (std::vector<double>& slices : slices_) {
      for (size_t s = 0; s < kSlices / 2; ++s) slices[s] = slices[2 * s] + slices[2 * s + 1];
      std::fill(slices.begin() + kSlices / 2, slices.end(), 0.0);
    }
  }
}

// `start` and `end` in slices.
void LinkMeter::Spread(std::vector<double>& slices, double start, double end, double bytes) {
  const size_t from = std::min(static_cast<size_t>(start), kSlices - 1);
  const size_t to = std::min(static_cast<size_t>(end), kSlices - 1);
  if (from == to) {
    slices[from] += bytes;
    return;
  }
  const double each = bytes / (end - start);
  slices[from] += each * (static_cast<double>(from + 1) - start);
  for (size_t s = from + 1; s < to; ++s) slices[s] += each;
  slices[to] += each * (end - static_cast<double>(to));
}

LinkUse LinkMeter::Take(Duration end) {
  Flush();
  Widen(end.seconds());
  use_.slice = Seconds(slice_);
  const size_t used = std::min(kSlices, static_cast<size_t>(end.seconds() / slice_) + 1);
  for (size_t l = 0; l < class_of_.size(); ++l) {
    if (class_of_[l] < 0 || network_.links[l].value() <= 0) continue;
    double& busiest = use_.classes[static_cast<size_t>(class_of_[l])].busiest;
    busiest = std::max(busiest, link_bytes_[l] / (network_.links[l].value() * end.seconds()));
  }
  LinkUse use;
  use.slice = use_.slice;
  use.works = use_.works;
  const auto bytes = [](double b) { return Bytes(static_cast<int64_t>(b)); };
  for (size_t c = 0; c < use_.classes.size(); ++c) {
    LinkUse::Class& its = use_.classes[c];
    if (*std::max_element(works_[c].begin(), works_[c].end()) == 0) continue;
    for (const double b : works_[c]) its.by_work.push_back(bytes(b));
    for (const double b : ranks_[c]) its.by_rank.push_back(bytes(b));
    for (size_t s = 0; s < used; ++s) {
      its.share.push_back(slices_[c][s] / (its.capacity.value() * slice_));
    }
    use.classes.push_back(std::move(its));
  }
  return use;
}

}  // namespace pipescope
