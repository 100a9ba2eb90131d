#include "sim/resource_use.h"

#include <algorithm>

namespace pipescope {
namespace {

constexpr Resource kShown[] = {Resource::kNetworkOut, Resource::kNetworkIn, Resource::kNvlink,
                               Resource::kMemory};

const char* NameOf(Resource resource) {
  switch (resource) {
    case Resource::kMemory:
      return "HBM";
    case Resource::kNvlink:
      return "NVLink";
    case Resource::kNetworkOut:
      return "NIC out";
    case Resource::kNetworkIn:
      return "NIC in";
    case Resource::kProcessors:
      return "processors";
  }
  return "";
}

// What leaves a GPU is told by where it goes.
bool Leaves(Resource resource) {
  return resource == Resource::kNetworkOut || resource == Resource::kNvlink;
}

// Spreads `bytes` over the slices from `start` to `end` (in slices).
void Spread(double start, double end, double bytes, std::vector<double>& slices) {
  const size_t last = slices.size() - 1;
  const size_t from = std::min(static_cast<size_t>(start), last);
  const size_t to = std::min(static_cast<size_t>(end), last);
  if (from == to || end <= start) {
    slices[from] += bytes;
    return;
  }
  const double each = bytes / (end - start);
  slices[from] += each * (static_cast<double>(from + 1) - start);
  for (size_t s = from + 1; s < to; ++s) slices[s] += each;
  slices[to] += each * (end - static_cast<double>(to));
}

// One resource, added up over the tasks.
class Adder {
 public:
  Adder(const TaskGraph& graph, Resource resource, Duration end, int slices)
      : resource_(resource),
        slices_(slices / end.seconds()),
        bytes_(static_cast<size_t>(graph.ranks)),
        sent_(bytes_.size()),
        slots_(bytes_.size(), std::vector<double>(static_cast<size_t>(slices))),
        label_bytes_(graph.labels.size()),
        label_seconds_(graph.labels.size()) {}

  void Add(const Task& task, const TaskTemplate& templ, Duration start, Duration end) {
    const auto label = static_cast<size_t>(templ.label);
    label_seconds_[label] += (end - start).seconds();
    const double bytes = templ.rates[static_cast<size_t>(resource_)] * templ.demand.time.seconds();
    if (bytes == 0) return;
    const auto owner = static_cast<size_t>(OwnerOf(task, resource_));
    bytes_[owner] += bytes;
    if (Leaves(resource_)) SentTo(owner, task.peer) += bytes;
    label_bytes_[label] += bytes;
    Spread(start.seconds() * slices_, end.seconds() * slices_, bytes, slots_[owner]);
  }

  ResourceUse::Row Take(double capacity) {
    ResourceUse::Row row{NameOf(resource_), Bandwidth(capacity), {}, std::move(slots_), {}};
    for (size_t from = 0; from < sent_.size(); ++from) {
      std::sort(sent_[from].begin(), sent_[from].end());
      for (const auto& [to, bytes] : sent_[from]) {
        row.traffic.push_back({static_cast<int>(from), to, Bytes(static_cast<int64_t>(bytes))});
      }
    }
    for (const double bytes : bytes_) row.bytes.emplace_back(static_cast<int64_t>(bytes));
    for (std::vector<double>& rank : row.share) {
      for (double& slot : rank) slot *= slices_ / capacity;
    }
    return row;
  }
  double LabelShare(size_t label, double capacity) const {
    const double seconds = label_seconds_[label];
    return seconds > 0 ? label_bytes_[label] / seconds / capacity : 0;
  }

 private:
  // A rank sends to few others.
  double& SentTo(size_t from, int32_t to) {
    for (auto& [rank, bytes] : sent_[from]) {
      if (rank == to) return bytes;
    }
    return sent_[from].emplace_back(to, 0).second;
  }

  Resource resource_;
  double slices_;  // a second
  std::vector<double> bytes_;
  std::vector<std::vector<std::pair<int32_t, double>>> sent_;  // [from] to, bytes
  std::vector<std::vector<double>> slots_;
  std::vector<double> label_bytes_, label_seconds_;
};

}  // namespace

ResourceUse ResourceUseOf(const TaskGraph& graph, const TaskTimes& times, int slices) {
  ResourceUse use;
  use.by_label.resize(graph.labels.size());
  if (graph.tasks.empty()) return use;
  const Duration end = *std::max_element(times.end.begin(), times.end.end());
  if (end == Duration()) return use;
  use.slice = Duration(end.picoseconds() / slices);
  for (const Resource resource : kShown) {
    const double capacity = graph.capacity[static_cast<size_t>(resource)];
    if (!(capacity > 0)) continue;  // the machine has none
    Adder adder(graph, resource, end, slices);
    for (size_t i = 0; i < graph.tasks.size(); ++i) {
      const Task& task = graph.tasks[i];
      adder.Add(task, graph.templates[static_cast<size_t>(task.templ)], times.start[i],
                times.end[i]);
    }
    use.rows.push_back(adder.Take(capacity));
    for (size_t l = 0; l < use.by_label.size(); ++l) {
      use.by_label[l].push_back(adder.LabelShare(l, capacity));
    }
  }
  return use;
}

}  // namespace pipescope
