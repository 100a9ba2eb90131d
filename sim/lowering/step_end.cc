#include "sim/lowering/step_end.h"

#include <algorithm>
#include <cmath>

namespace pipescope {
namespace {

using timeline::Lane;
using timeline::OperationKind;
using timeline::Part;

constexpr int64_t kParameterBytes = 2;  // BF16
constexpr int64_t kMasterBytes = 4;     // FP32

class StepEnd {
 public:
  StepEnd(const Experiment& experiment, const model::Layout& layout, const Ownership& ownership,
          PhaseCosts& costs, TaskGraph& graph)
      : experiment_(experiment), layout_(layout), own_(ownership), costs_(costs), graph_(graph) {}

  // Reduces the gradients of every stage; remembers the last task of every rank.
  void ReduceGradients(const std::vector<std::vector<std::vector<int32_t>>>& backward_done,
                       const std::vector<std::vector<int32_t>>& rank_done) {
    last_.assign(static_cast<size_t>(graph_.ranks), -1);
    const int64_t bytes = GradientBytesPerParameter(experiment_);
    for (size_t r = 0; r < own_.stages_of_rank.size(); ++r) {
      if (experiment_.training.separate_passes) {
        const int32_t task = Append(static_cast<int>(r), SeparatePasses(r));
        for (const int32_t before : rank_done[r]) graph_.edges.emplace_back(before, task);
      }
      for (size_t i = 0; i < own_.stages_of_rank[r].size(); ++i) {
        const int stage = own_.stages_of_rank[r][i];
        const auto [shared, expert] = Collective(r, stage, bytes, "gradient reduce-scatter",
                                                 costs::CollectiveKind::kReduceScatter);
        for (const int32_t templ : {shared, expert}) {
          const int32_t task = Append(static_cast<int>(r), templ);
          if (experiment_.communication.overlap_gradients) {
            WaitForAllCopies(stage, backward_done, task);
          } else {
            for (const int32_t before : rank_done[r]) graph_.edges.emplace_back(before, task);
          }
        }
      }
    }
  }

  // Global norm, AdamW on this GPU's shard, parameters back to all.
  void Update(const std::vector<std::vector<int32_t>>& rank_done) {
    costs::Demand norm;
    const double hops = std::ceil(std::log2(std::max(2, experiment_.gpus())));
    norm.time = Seconds(2 * hops * costs_.links().network_latency.seconds());
    const int32_t clip =
        costs_.Add({"gradient norm", OperationKind::kCollective, Lane::kGradient, Part::kNone},
                   norm, {experiment_.parallel.gpus_per_rank(), 1});
    const std::vector<int32_t> reduced = last_;
    for (int r = 0; r < graph_.ranks; ++r) {
      const int32_t task = Append(r, clip);
      for (const int32_t before : reduced) {
        if (before >= 0 && before != reduced[static_cast<size_t>(r)]) {
          graph_.edges.emplace_back(before, task);
        }
      }
      for (const int32_t before : rank_done[static_cast<size_t>(r)]) {
        graph_.edges.emplace_back(before, task);
      }
    }
    for (int r = 0; r < graph_.ranks; ++r) {
      Append(r, costs_.Add({"AdamW", OperationKind::kOptimizer, Lane::kCompute, Part::kNone},
                           AdamW(r)));
      if (experiment_.parallel.zero_stage == 0) continue;
      if (experiment_.communication.overlap_parameters) continue;
      for (const int stage : own_.stages_of_rank[static_cast<size_t>(r)])
        GatherParameters(r, stage);
    }
  }

  // What the step before left to do.
  void GatherBeforeFirstForwards(const std::vector<std::vector<int32_t>>& first_forward) {
    if (experiment_.parallel.zero_stage == 0) return;
    if (!experiment_.communication.overlap_parameters) return;
    last_.assign(last_.size(), -1);
    for (size_t r = 0; r < own_.stages_of_rank.size(); ++r) {
      std::vector<std::pair<int32_t, int>> order;  // first forward, stage
      for (size_t i = 0; i < own_.stages_of_rank[r].size(); ++i) {
        order.emplace_back(first_forward[r][i], own_.stages_of_rank[r][i]);
      }
      std::sort(order.begin(), order.end());
      for (const auto& [forward, stage] : order) {
        GatherParameters(static_cast<int>(r), stage);
        graph_.edges.emplace_back(last_[r], forward);
      }
    }
  }

 private:
  int Copies(int stage) const {
    return static_cast<int>(own_.ranks_of_stage[static_cast<size_t>(stage)].size());
  }

  void GatherParameters(int rank, int stage) {
    const auto [shared, expert] =
        Collective(static_cast<size_t>(rank), stage, kParameterBytes, "parameter all-gather",
                   costs::CollectiveKind::kAllGather);
    Append(rank, shared);
    Append(rank, expert);
  }

  // The collectives of a stage's shared and expert parameters, as `rank` takes part in them.
  std::pair<int32_t, int32_t> Collective(size_t rank, int stage, int64_t bytes, const char* name,
                                         costs::CollectiveKind sharded) {
    const HeldParameters held = StageParameters(experiment_, layout_[static_cast<size_t>(stage)],
                                                HoldsEmbedding(layout_, own_.stages_of_rank[rank]));
    const int per_node = experiment_.cluster.node.gpus;
    const int shared = SharedGroup(experiment_, Copies(stage));
    const int expert = ExpertGroup(experiment_, Copies(stage));
    const int expert_per_node = std::max(1, per_node / experiment_.parallel.expert);
    const timeline::Label label{name, OperationKind::kCollective, Lane::kGradient, Part::kNone};
    const costs::CollectiveKind kind =
        experiment_.parallel.zero_stage == 0 ? costs::CollectiveKind::kAllReduce : sharded;
    const auto demand = [&](int64_t parameters, int group, int in_node) {
      return costs_.prices().Message(
          {kind, Bytes(bytes * parameters), group, std::clamp(in_node, 1, group)});
    };
    // Replicas of a GPU's shared parameters lie apart by the tensor-parallel group.
    const int shared_per_node = per_node / experiment_.parallel.tensor;
    const Group same = {SharedGroup(experiment_, 1), experiment_.parallel.tensor};
    const Group same_experts = {ExpertGroup(experiment_, 1), experiment_.parallel.expert};
    return {costs_.Add(label, demand(held.shared, shared, shared_per_node), same),
            costs_.Add(label, demand(held.expert, expert, expert_per_node), same_experts)};
  }

  // The passes of separate kernels: norm (a read) and clipping (a read and a write) of the shard,
  // and the copy of the master parameters to BF16 (a read more).
  costs::Price AdamW(int rank) {
    const int64_t gradient = GradientBytesPerParameter(experiment_);
    const int64_t passes = experiment_.training.separate_passes ? 3 * gradient + kMasterBytes : 0;
    const double bytes = static_cast<double>(
        gradient + passes + 2 * OptimizerBytesPerParameter(experiment_) + kParameterBytes);
    return costs_.prices().Memory("AdamW",
                                  RoundBytes(bytes * UpdatedParameters(experiment_, layout_, own_,
                                                                       static_cast<size_t>(rank))));
  }

  // Of all gradients a GPU holds: set to zero (a write), looked at for infinities (a read), divided
  // by the number of replicas where there are several (a read and a write).
  int32_t SeparatePasses(size_t rank) {
    const HeldParameters held = RankParameters(experiment_, layout_, own_.stages_of_rank[rank]);
    const int64_t bytes = 4 * GradientBytesPerParameter(experiment_) * (held.shared + held.expert);
    return costs_.Add({"gradient passes", OperationKind::kOptimizer, Lane::kCompute, Part::kNone},
                      costs_.prices().Memory("gradient passes", Bytes(bytes)));
  }

  int32_t Append(int rank, int32_t templ) {
    const int32_t task = static_cast<int32_t>(graph_.tasks.size());
    graph_.tasks.push_back({rank, rank, templ, -1});
    int32_t& last = last_[static_cast<size_t>(rank)];
    if (last >= 0) graph_.edges.emplace_back(last, task);
    last = task;
    return task;
  }

  void WaitForAllCopies(int stage,
                        const std::vector<std::vector<std::vector<int32_t>>>& backward_done,
                        int32_t task) {
    for (const int rank : own_.ranks_of_stage[static_cast<size_t>(stage)]) {
      const auto& stages = own_.stages_of_rank[static_cast<size_t>(rank)];
      const size_t at =
          static_cast<size_t>(std::find(stages.begin(), stages.end(), stage) - stages.begin());
      for (const int32_t before : backward_done[static_cast<size_t>(rank)][at]) {
        graph_.edges.emplace_back(before, task);
      }
    }
  }

  const Experiment& experiment_;
  const model::Layout& layout_;
  const Ownership& own_;
  PhaseCosts& costs_;
  TaskGraph& graph_;
  std::vector<int32_t> last_;  // on the gradient lane, by rank
};

}  // namespace

void AddStepEnd(const Experiment& experiment, const model::Layout& layout,
                const Ownership& ownership, PhaseCosts& costs,
                const std::vector<std::vector<std::vector<int32_t>>>& backward_done,
                const std::vector<std::vector<int32_t>>& rank_done,
                const std::vector<std::vector<int32_t>>& first_forward, TaskGraph& graph) {
  StepEnd end(experiment, layout, ownership, costs, graph);
  end.ReduceGradients(backward_done, rank_done);
  end.Update(rank_done);
  end.GatherBeforeFirstForwards(first_forward);
}

}  // namespace pipescope
