#include "sim/step_flow/transfers.h"

#include <algorithm>
#include <cmath>

#include "sim/lowering/places.h"

namespace pipescope {
namespace {

double BytesOf(Bytes bytes) { return static_cast<double>(bytes.value()); }

// What a flow adds to the load of its links, bytes/s: its cap, or else all of a NIC.
int64_t AskedRate(Bandwidth cap, Bandwidth nic) {
  return std::llround((cap > Bandwidth(0) ? cap : nic).value());
}

// How much more than in the mean goes between two members where experts are skewed: rows go to the
// experts' GPUs in a dispatch, and come from them in a combine.
class Skew {
 public:
  Skew(const Experiment& e, const TaskGraph& graph, const Task& task, int32_t first)
      : in_node_(std::min(e.parallel.expert, e.cluster.node.gpus)) {
    const int gpu = task.rank * e.parallel.gpus_per_rank() + first;
    if (e.what_if.expert_skew == 0) return;
    loads_ = ExpertLoads(e.what_if.expert_skew, e.parallel.expert, gpu / e.parallel.expert);
    const auto& templ = graph.templates[static_cast<size_t>(task.templ)];
    const timeline::Label& label = graph.labels[static_cast<size_t>(templ.label)];
    const bool dispatch = label.kind == timeline::OperationKind::kDispatch;
    to_experts_ = dispatch == (label.part == timeline::Part::kForward);
  }
  double OfGpu(int from, int to) const { return Load(to_experts_ ? to : from, 1); }
  double OfNode(int from, int to) const {
    return Load((to_experts_ ? to : from) * in_node_, in_node_);
  }

 private:
  double Load(int first, int count) const {
    if (loads_.empty()) return 1;
    double sum = 0;
    for (int i = first; i < first + count; ++i) sum += loads_[static_cast<size_t>(i)];
    return sum / count;
  }

  int in_node_;
  bool to_experts_ = true;
  std::vector<double> loads_;  // empty: balanced
};

}  // namespace

// Collects the flows of one task.
struct TransferTable::Builder {
  const StepNetwork& network;
  topology::LeastLoaded* adaptive;  // nullptr: ways are static
  Bandwidth nic;
  flow::FlowBatch batch = {};
  Transfers transfers = {};

  // `memory`: bytes of HBM that each byte costs at either end.
  void Add(int from_gpu, int to_gpu, int32_t from, int32_t to, Bytes bytes, Bandwidth cap,
           Duration latency, double memory) {
    if (bytes.value() == 0) return;
    std::vector<int32_t> route;
    batch.weights.resize(batch.links.size(), 1);
    for (const topology::LinkShare& share : WayOf(from_gpu, to_gpu, cap)) {
      route.push_back(share.link);
      batch.weights.push_back(share.share);
    }
    if (network.has_memory() && memory > 0) {
      route.push_back(network.memory(from_gpu));
      route.push_back(network.memory(to_gpu));
      batch.weights.insert(batch.weights.end(), 2, memory);
    }
    Append(route, from, to, bytes, cap, latency);
  }

  std::vector<topology::LinkShare> WayOf(int from_gpu, int to_gpu, Bandwidth cap) {
    if (adaptive == nullptr) return network.Between(from_gpu, to_gpu);
    const int64_t rate = AskedRate(cap, nic);
    std::vector<topology::LinkId> links = adaptive->Choose(from_gpu, to_gpu, rate);
    std::erase_if(links, [this](topology::LinkId l) { return !network.Limits(l); });
    adaptive->Load(links, rate);
    std::vector<topology::LinkShare> way;
    for (const topology::LinkId l : links) way.push_back({l, 1});
    return way;
  }

  void Append(const std::vector<int32_t>& route, int32_t from, int32_t to, Bytes bytes,
              Bandwidth cap, Duration latency) {
    batch.weights.resize(batch.links.size() + route.size(), 1);
    batch.Add(route, bytes);
    batch.caps.push_back(cap);
    batch.latencies.push_back(latency);
    transfers.source.push_back(from);
    transfers.destination.push_back(to);
  }
};

TransferTable::TransferTable(const Experiment& experiment, const TaskGraph& graph,
                             const StepNetwork& network, Keep keep)
    : experiment_(experiment),
      graph_(graph),
      network_(network),
      links_(costs::LinksOf(experiment.cluster, experiment.efficiencies)),
      rank_gpus_(experiment.parallel.gpus_per_rank()),
      keep_(keep) {
  const Paths paths = experiment.communication.paths;
  using Detours = topology::LeastLoaded::Detours;
  if (paths == Paths::kLeastLoaded) adaptive_.emplace(network.router());
  if (paths == Paths::kAdaptive) adaptive_.emplace(network.router(), Detours::kYes);
}

std::shared_ptr<const Transfers> TransferTable::Of(TransferKind kind, const Task& task,
                                                   std::span<const int32_t> members) {
  const Group& who = TemplateOf(task).group;
  const bool common = members.size() == static_cast<size_t>(rank_gpus_) ||
                      (who.size > 1 && members.size() == static_cast<size_t>(who.size));
  if (!common) ++partial_;
  const bool by_load = adaptive_ && kind != TransferKind::kMemory;
  if (!common || (by_load && keep_ == Keep::kCommon)) return Make(kind, task, members);
  const auto number = static_cast<int32_t>(by_load ? &task - graph_.tasks.data() : task.templ);
  auto& known = known_[{kind, number, task.rank, task.peer, members.front(), members.size()}];
  if (known == nullptr) return known = Make(kind, task, members);
  if (by_load) LoadLinks(*known, 0, known->size(), 1);
  return known;
}

void TransferTable::End(const Transfers& transfers, int64_t first, int64_t count) {
  if (adaptive_) LoadLinks(transfers, first, count, -1);
}

void TransferTable::LoadLinks(const Transfers& transfers, int64_t first, int64_t count, int sign) {
  const flow::FlowBatch& flows = transfers.pattern->batch();
  for (int64_t f = first; f < first + count; ++f) {
    adaptive_->Load(flows.Route(f), sign * AskedRate(flows.Cap(f), experiment_.cluster.node.nic));
  }
}

std::vector<std::shared_ptr<const flow::Pattern>> TransferTable::Patterns() const {
  std::vector<std::shared_ptr<const flow::Pattern>> patterns;
  for (const auto& [key, transfers] : known_) {
    if (transfers->size() > 0) patterns.push_back(transfers->pattern);
  }
  return patterns;
}

std::shared_ptr<const Transfers> TransferTable::Make(TransferKind kind, const Task& task,
                                                     std::span<const int32_t> members) {
  const costs::Demand& demand = TemplateOf(task).demand;
  Builder builder{network_, adaptive_ ? &*adaptive_ : nullptr, experiment_.cluster.node.nic};
  for (size_t m = 0; m < members.size(); ++m) {
    const int32_t at = static_cast<int32_t>(m);
    const int gpu = Gpu(task.rank, members[m]);
    if (kind == TransferKind::kMemory) {
      // Never faster than HBM, as at `op`: costs may say so of a kind of kernel.
      const double rate = TemplateOf(task).rates[static_cast<size_t>(Resource::kMemory)];
      builder.Append({network_.memory(gpu)}, at, at, RoundBytes(rate * demand.time.seconds()),
                     Bandwidth(rate), Duration());
    } else if (kind == TransferKind::kMessage) {
      const int peer = Gpu(task.peer, members[m]);
      const Duration latency = network_.router().Between(gpu, peer).latency;
      builder.Add(gpu, peer, at, at, demand.nvlink + demand.network_out, Bandwidth(0), latency, 1);
    }
  }
  if (kind == TransferKind::kExchange) AddExchange(task, members, builder);
  if (kind == TransferKind::kCollective) AddCollective(task, members, builder);
  auto& weights = builder.batch.weights;
  if (std::all_of(weights.begin(), weights.end(), [](double w) { return w == 1; })) weights.clear();
  // What is added once only is not worth a long search for equal flows.
  const auto fold = adaptive_ && kind != TransferKind::kMemory ? flow::Pattern::Fold::kLoose
                                                               : flow::Pattern::Fold::kYes;
  builder.transfers.pattern =
      flow::Pattern::Make(network_.network(), std::move(builder.batch), fold);
  return std::make_shared<const Transfers>(std::move(builder.transfers));
}

void TransferTable::AddExchange(const Task& task, std::span<const int32_t> members,
                                Builder& builder) const {
  const costs::Demand& demand = TemplateOf(task).demand;
  const int size = static_cast<int>(members.size());
  const int in_node = std::min(size, experiment_.cluster.node.gpus);
  const int nodes = size / in_node;
  const Duration latency =
      (nodes > 1 ? links_.network_latency : Duration()) + links_.nvlink_latency;
  const double seconds = (demand.time - latency).seconds();
  const double moved = BytesOf(demand.nvlink) + BytesOf(demand.network_out);
  // Half of HBM's traffic is with what leaves, half with what arrives.
  const double memory = moved > 0 ? BytesOf(demand.memory) / (2 * moved) : 0;
  const Bytes by_nic = RoundBytes(nodes > 1 ? BytesOf(demand.network_out) / (nodes - 1) : 0);
  const Bytes by_nvlink = RoundBytes(in_node > 1 ? BytesOf(demand.nvlink) / (in_node - 1) : 0);
  const Skew skew(experiment_, graph_, task, members.front());
  for (int a = 0; a < size; ++a) {
    const int from = Gpu(task.rank, members[static_cast<size_t>(a)]);
    for (int b = 0; b < size; ++b) {
      const bool same_node = a / in_node == b / in_node;
      if (a == b || (!same_node && a % in_node != b % in_node)) continue;
      const double load = same_node ? skew.OfGpu(a, b) : skew.OfNode(a / in_node, b / in_node);
      const Bytes bytes = RoundBytes(BytesOf(same_node ? by_nvlink : by_nic) * load);
      builder.Add(from, Gpu(task.rank, members[static_cast<size_t>(b)]), a, b, bytes,
                  Bandwidth(BytesOf(same_node ? by_nvlink : by_nic) / seconds), latency, memory);
    }
  }
}

// Members of one group after the other; `at` are their places in the list of members.
void TransferTable::AddCollective(const Task& task, std::span<const int32_t> members,
                                  Builder& builder) const {
  const Group& who = TemplateOf(task).group;
  const std::vector<int32_t> ranks = who.ranks.empty() ? std::vector{task.rank} : who.ranks;
  const auto own = std::find(ranks.begin(), ranks.end(), task.rank) - ranks.begin();
  std::map<int32_t, std::vector<int32_t>> groups;
  for (size_t m = 0; m < members.size(); ++m) {
    groups[who.Of(members[m])].push_back(static_cast<int32_t>(m));
  }
  for (const auto& [group, at] : groups) {
    for (int32_t k = 0; k < who.size; ++k) {
      const int32_t from = at[static_cast<size_t>(k)];
      const int gpu = Gpu(task.rank, members[static_cast<size_t>(from)]);
      for (const Part& part : PartsOf(task, static_cast<int32_t>(own) * who.size + k)) {
        const int32_t rank = ranks[static_cast<size_t>(part.to / who.size)];
        const int32_t to = at[static_cast<size_t>(part.to % who.size)];
        builder.Add(gpu, Gpu(rank, members[static_cast<size_t>(to)]), from,
                    rank == task.rank ? to : from, part.bytes, part.cap, Duration(), part.memory);
      }
    }
  }
}

// What the k-th of a group sends.
std::vector<TransferTable::Part> TransferTable::PartsOf(const Task& task, int32_t k) const {
  const TaskTemplate& templ = TemplateOf(task);
  const costs::Demand& demand = templ.demand;
  const int32_t ranks = std::max(1, static_cast<int32_t>(templ.group.ranks.size()));
  const int32_t size = templ.group.size * ranks;
  const int32_t per_node = PerNode(experiment_, templ.group);
  const int32_t node = k / per_node * per_node, end = std::min(node + per_node, size);
  const double moved = BytesOf(demand.nvlink) + BytesOf(demand.network_out);
  const double memory = moved > 0 ? BytesOf(demand.memory) / (2 * moved) : 0;
  std::vector<Part> parts;
  const auto add = [&](int32_t to, Bytes bytes, int32_t of) {
    if (to == k || bytes.value() == 0) return;
    const Bytes part = RoundBytes(BytesOf(bytes) / of);
    parts.push_back({to, part, Bandwidth(BytesOf(part) / demand.time.seconds()), memory});
  };
  if (!templ.group.direct) {
    add(node + (k - node + 1) % (end - node), demand.nvlink, 1);
    add((k + per_node) % size, demand.network_out, 1);
    return parts;
  }
  for (int32_t to = 0; to < size; ++to) {
    const bool same_node = to >= node && to < end;
    add(to, same_node ? demand.nvlink : demand.network_out,
        same_node ? end - node - 1 : size - (end - node));
  }
  return parts;
}

}  // namespace pipescope
