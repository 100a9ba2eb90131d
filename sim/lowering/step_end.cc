#include "sim/lowering/step_end.h"

#include <algorithm>
#include <cmath>

#include "sim/lowering/places.h"

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

  // Reduces the gradients of every stage.
  void ReduceGradients(const std::vector<std::vector<std::vector<int32_t>>>& backward_done,
                       const std::vector<std::vector<int32_t>>& rank_done) {
    done_.assign(static_cast<size_t>(graph_.ranks), {});
    if (experiment_.training.separate_passes) {
      for (size_t r = 0; r < rank_done.size(); ++r) {
        Append(static_cast<int>(r), SeparatePasses(r), rank_done[r]);
      }
    }
    for (int stage = 0; stage < stages(); ++stage) {
      std::vector<int32_t> before;
      for (const int rank : RanksOf(stage)) {
        const size_t r = static_cast<size_t>(rank);
        AddTo(before, experiment_.communication.overlap_gradients ? backward_done[r][Held(r, stage)]
                                                                  : rank_done[r]);
      }
      Meet(stage, GradientBytesPerParameter(experiment_), "gradient reduce-scatter",
           costs::CollectiveKind::kReduceScatter, before);
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
    std::vector<int32_t> reduced;
    for (const std::vector<int32_t>& tasks : done_) AddTo(reduced, tasks);
    for (int r = 0; r < graph_.ranks; ++r) {
      std::vector<int32_t> before = reduced;
      AddTo(before, rank_done[static_cast<size_t>(r)]);
      Append(r, clip, std::move(before));
    }
    for (int r = 0; r < graph_.ranks; ++r) {
      Append(
          r,
          costs_.Add({"AdamW", OperationKind::kOptimizer, Lane::kCompute, Part::kNone}, AdamW(r)),
          {});
    }
    if (experiment_.communication.overlap_parameters) return;
    for (int stage = 0; stage < stages(); ++stage) GatherParameters(stage);
  }

  // What the step before left to do.
  void GatherBeforeFirstForwards(const std::vector<std::vector<int32_t>>& first_forward) {
    if (!experiment_.communication.overlap_parameters) return;
    done_.assign(done_.size(), {});
    std::vector<std::pair<int64_t, int>> order;  // how early it is needed, stage
    for (int stage = 0; stage < stages(); ++stage) {
      order.emplace_back(NeededAs(stage, first_forward), stage);
    }
    std::sort(order.begin(), order.end());
    for (const auto& [earliest, stage] : order) {
      GatherParameters(stage);
      for (const int rank : RanksOf(stage)) {
        const size_t r = static_cast<size_t>(rank);
        for (const int32_t task : done_[r]) {
          graph_.edges.emplace_back(task, first_forward[r][Held(r, stage)]);
        }
      }
    }
  }

 private:
  int stages() const { return static_cast<int>(own_.ranks_of_stage.size()); }
  const std::vector<int>& RanksOf(int stage) const {
    return own_.ranks_of_stage[static_cast<size_t>(stage)];
  }
  // Which of the rank's stages it is.
  size_t Held(size_t rank, int stage) const {
    const std::vector<int>& held = own_.stages_of_rank[rank];
    return static_cast<size_t>(std::find(held.begin(), held.end(), stage) - held.begin());
  }
  // On the rank that needs it earliest, how many of the rank's stages are needed before.
  int64_t NeededAs(int stage, const std::vector<std::vector<int32_t>>& first_forward) const {
    int64_t least = stages();
    for (const int rank : RanksOf(stage)) {
      const auto& firsts = first_forward[static_cast<size_t>(rank)];
      const int32_t its = firsts[Held(static_cast<size_t>(rank), stage)];
      const auto before =
          std::count_if(firsts.begin(), firsts.end(), [its](int32_t other) { return other < its; });
      least = std::min<int64_t>(least, before);
    }
    return least;
  }
  static void AddTo(std::vector<int32_t>& list, const std::vector<int32_t>& more) {
    list.insert(list.end(), more.begin(), more.end());
  }

  void GatherParameters(int stage) {
    if (experiment_.parallel.zero_stage == 0) return;
    Meet(stage, kParameterBytes, "parameter all-gather", costs::CollectiveKind::kAllGather, {});
  }

  // A stage's shared parameters, then its experts', each on all ranks that hold it.
  void Meet(int stage, int64_t bytes, const char* name, costs::CollectiveKind sharded,
            const std::vector<int32_t>& after) {
    std::vector<std::pair<int32_t, int32_t>> templates;  // [rank that holds it] shared, expert
    for (const int rank : RanksOf(stage)) {
      templates.push_back(Collective(static_cast<size_t>(rank), stage, bytes, name, sharded));
    }
    for (const bool experts : {false, true}) {
      std::vector<int32_t> before = after, tasks;
      for (const int rank : RanksOf(stage)) AddTo(before, done_[static_cast<size_t>(rank)]);
      for (size_t i = 0; i < templates.size(); ++i) {
        const auto [shared, expert] = templates[i];
        tasks.push_back(AddTask(RanksOf(stage)[i], experts ? expert : shared, before));
      }
      for (const int rank : RanksOf(stage)) done_[static_cast<size_t>(rank)] = tasks;
    }
  }

  // The collectives of a stage's shared and expert parameters, as `rank` takes part in them.
  std::pair<int32_t, int32_t> Collective(size_t rank, int stage, int64_t bytes, const char* name,
                                         costs::CollectiveKind sharded) {
    const HeldParameters held = StageParameters(experiment_, layout_[static_cast<size_t>(stage)],
                                                HoldsEmbedding(layout_, own_.stages_of_rank[rank]));
    const timeline::Label label{name, OperationKind::kCollective, Lane::kGradient, Part::kNone};
    const costs::CollectiveKind kind =
        experiment_.parallel.zero_stage == 0 ? costs::CollectiveKind::kAllReduce : sharded;
    const std::vector<int>& ranks = RanksOf(stage);
    const auto add = [&](int64_t parameters, Group group) {
      if (ranks.size() > 1) group.ranks.assign(ranks.begin(), ranks.end());
      const int size = group.size * static_cast<int>(ranks.size());
      costs::Price price = costs_.prices().Message(
          {kind, Bytes(bytes * parameters), size, PerNode(experiment_, group)});
      return costs_.Add(label, std::move(price), std::move(group));
    };
    // Replicas of a GPU's shared parameters lie apart by the tensor-parallel group.
    const ParallelPlan& plan = experiment_.parallel;
    return {add(held.shared, {SharedGroup(experiment_, 1), plan.tensor}),
            add(held.expert, {ExpertGroup(experiment_, 1), plan.expert})};
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

  int32_t AddTask(int rank, int32_t templ, std::vector<int32_t> after) {
    const int32_t task = static_cast<int32_t>(graph_.tasks.size());
    graph_.tasks.push_back({rank, rank, templ, -1});
    std::sort(after.begin(), after.end());
    after.erase(std::unique(after.begin(), after.end()), after.end());
    for (const int32_t before : after) graph_.edges.emplace_back(before, task);
    return task;
  }

  // On one rank alone, after all it did before.
  void Append(int rank, int32_t templ, std::vector<int32_t> after) {
    std::vector<int32_t>& done = done_[static_cast<size_t>(rank)];
    AddTo(after, done);
    done = {AddTask(rank, templ, std::move(after))};
  }

  const Experiment& experiment_;
  const model::Layout& layout_;
  const Ownership& own_;
  PhaseCosts& costs_;
  TaskGraph& graph_;
  std::vector<std::vector<int32_t>> done_;  // [rank] what ends the last it took part in
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
