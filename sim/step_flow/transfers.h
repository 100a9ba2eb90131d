// What the GPUs of a pipeline rank send when they run one task, as flows over links.
//
// GPU i of rank r is GPU r * (GPUs of a rank) + i of the cluster. With a template's bytes
// (sim/costs/demand.h)
//
//   memory     HBM traffic of a computation, of each GPU its own
//   message    one flow from GPU i of a rank to GPU i of the other, over its route
//   exchange   dispatch or combine in an expert group: NIC bytes in equal parts to the GPU of the
//              same index on each other node, NVLink bytes in equal parts to the others of the
//              node; the second hop of a row overlaps its first, so both run at once
//   collective gradients and parameters, and what GPUs that split a layer or a sequence send, in
//              groups (sim/lowering/task_graph.h). Around a ring: NVLink bytes to the group's next
//              GPU of the node, NIC bytes to its equal on the group's next node. Direct: NVLink
//              bytes in equal parts to the others of the node, NIC bytes to all elsewhere. Where
//              several ranks hold a stage the ring goes through all of them, and the task of each
//              has what its own GPUs send
//
// No flow is faster than where its task takes the time it takes alone, which may be bound by what
// is no link (the copying SMs).
//
// Example: DeepSeek-V3's dispatch in a group of 64: 448 flows by NIC and 448 by NVLink.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "sim/costs/communication_cost.h"
#include "sim/experiment/experiment.h"
#include "sim/flow/pattern.h"
#include "sim/lowering/task_graph.h"
#include "sim/step_flow/step_network.h"
#include "topology/least_loaded.h"

namespace pipescope {

// Flow f leaves member source[f] and arrives at member destination[f]; members are places in the
// list of replicas that take part. What arrives at another rank is its sender's alone to wait for:
// there, what comes after waits for this task too.
struct Transfers {
  std::shared_ptr<const flow::Pattern> pattern;
  std::vector<int32_t> source, destination;

  int64_t size() const { return static_cast<int64_t>(source.size()); }
};

enum class TransferKind : uint8_t { kMemory, kMessage, kExchange, kCollective };

class TransferTable {
 public:
  // What all replicas (of a group) do together is the same each time, and kept; where ways are
  // chosen by load it is another each time, and kept only where it is to be run again.
  enum class Keep { kCommon, kAll };
  TransferTable(const Experiment& experiment, const TaskGraph& graph, const StepNetwork& network,
                Keep keep = Keep::kCommon);

  // What a task starts now; `members` are GPUs of the rank, ascending: of a task with groups one of
  // them or all. A task that is run again on the same replicas takes the ways it took before.
  std::shared_ptr<const Transfers> Of(TransferKind kind, const Task& task,
                                      std::span<const int32_t> members);
  // These flows of what `Of` returned have ended.
  void End(const Transfers& transfers, int64_t first, int64_t count);
  // Every pattern that was kept so far: what an engine that must know all beforehand is given.
  std::vector<std::shared_ptr<const flow::Pattern>> Patterns() const;
  // How many were made for a part of the replicas, and not kept.
  int64_t partial() const { return partial_; }

 private:
  struct Builder;
  using Key = std::tuple<TransferKind, int32_t, int32_t, int32_t, int32_t, size_t>;
  std::shared_ptr<const Transfers> Make(TransferKind kind, const Task& task,
                                        std::span<const int32_t> members);
  void AddExchange(const Task& task, std::span<const int32_t> members, Builder& builder) const;
  void AddCollective(const Task& task, std::span<const int32_t> members, Builder& builder) const;
  // What one GPU of a collective's group sends to another one; places within the group, of several
  // ranks one after the other.
  struct Part {
    int32_t to = 0;
    Bytes bytes;
    Bandwidth cap;
    double memory = 0;  // bytes of HBM that each byte costs at either end
  };
  std::vector<Part> PartsOf(const Task& task, int32_t k) const;
  void LoadLinks(const Transfers& transfers, int64_t first, int64_t count, int sign);
  int Gpu(int rank, int32_t replica) const { return rank * rank_gpus_ + replica; }
  const TaskTemplate& TemplateOf(const Task& task) const {
    return graph_.templates[static_cast<size_t>(task.templ)];
  }

  const Experiment& experiment_;
  const TaskGraph& graph_;
  const StepNetwork& network_;
  costs::Links links_;
  int rank_gpus_;
  Keep keep_;
  std::optional<topology::LeastLoaded> adaptive_;
  int64_t partial_ = 0;
  std::map<Key, std::shared_ptr<const Transfers>> known_;
};

}  // namespace pipescope
