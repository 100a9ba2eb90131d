#include "sim/lowering/ownership.h"

#include <algorithm>
#include <set>

#include "sim/model/parameters.h"

namespace pipescope {

Ownership OwnershipOf(const schedules::Schedule& schedule) {
  std::vector<std::set<int>> stages(static_cast<size_t>(schedule.ranks));
  for (size_t r = 0; r < stages.size(); ++r) {
    for (const schedules::Action& action : schedule.actions[r]) {
      stages[r].insert(action.stage.value());
      if (action.kind == schedules::ActionKind::kOverlapped) {
        stages[r].insert(action.backward_stage.value());
      }
    }
  }
  Ownership own;
  own.ranks_of_stage.resize(static_cast<size_t>(schedule.stages));
  for (size_t r = 0; r < stages.size(); ++r) {
    own.stages_of_rank.emplace_back(stages[r].begin(), stages[r].end());
    for (const int s : stages[r]) {
      own.ranks_of_stage[static_cast<size_t>(s)].push_back(static_cast<int>(r));
    }
  }
  return own;
}

bool HoldsEmbedding(const model::Layout& layout, const std::vector<int>& stages) {
  for (const int s : stages) {
    for (const model::Block& block : layout[static_cast<size_t>(s)].blocks) {
      if (block.kind == model::BlockKind::kEmbedding) return true;
    }
  }
  return false;
}

HeldParameters StageParameters(const Experiment& experiment, const model::StageLayout& stage,
                               bool shares_embedding) {
  HeldParameters held;
  const model::ModelConfig& m = experiment.model;
  for (const model::Block& block : stage.blocks) {
    const model::ParameterCount count = model::BlockParameters(m, block);
    const int64_t words = m.vocabulary * m.hidden / experiment.parallel.tensor;
    held.shared += count.whole + (count.shared - count.whole) / experiment.parallel.tensor;
    held.expert += count.expert / experiment.parallel.expert;
    if (block.kind == model::BlockKind::kMtpProjection && !shares_embedding) held.shared += words;
    // A head that is the embedding transposed is a second copy only where the first is elsewhere.
    const bool head = block.kind == model::BlockKind::kHead && !block.mtp;
    if (head && m.tied_embedding && shares_embedding) held.shared -= words;
  }
  return held;
}

HeldParameters RankParameters(const Experiment& experiment, const model::Layout& layout,
                              const std::vector<int>& stages) {
  HeldParameters held;
  const bool shares = HoldsEmbedding(layout, stages);
  for (const int s : stages) {
    const HeldParameters part = StageParameters(experiment, layout[static_cast<size_t>(s)], shares);
    held.shared += part.shared;
    held.expert += part.expert;
  }
  return held;
}

int SharedGroup(const Experiment& experiment, int copies) {
  return experiment.parallel.data * experiment.parallel.context * copies;
}

int ExpertGroup(const Experiment& experiment, int copies) {
  return experiment.parallel.gpus_per_rank() / experiment.parallel.expert * copies;
}

double UpdatedParameters(const Experiment& experiment, const model::Layout& layout,
                         const Ownership& ownership, size_t rank) {
  const std::vector<int>& stages = ownership.stages_of_rank[rank];
  const bool shares = HoldsEmbedding(layout, stages);
  double updated = 0;
  for (const int stage : stages) {
    const size_t s = static_cast<size_t>(stage);
    const HeldParameters held = StageParameters(experiment, layout[s], shares);
    const int copies = static_cast<int>(ownership.ranks_of_stage[s].size());
    const bool sharded = experiment.parallel.zero_stage >= 1;
    updated += static_cast<double>(held.shared) / (sharded ? SharedGroup(experiment, copies) : 1) +
               static_cast<double>(held.expert) / (sharded ? ExpertGroup(experiment, copies) : 1);
  }
  return updated;
}

int64_t GradientBytesPerParameter(const Experiment& experiment) {
  return experiment.communication.fp32_gradients ? 4 : 2;
}

int64_t OptimizerBytesPerParameter(const Experiment& experiment) {
  return experiment.training.fp8 ? 4 + 2 * 2 : 4 + 2 * 4;
}

}  // namespace pipescope
