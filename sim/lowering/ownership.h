// Which stages a rank holds, and with whom it shares their gradients.
//
// Read off the schedule: a rank holds the stages its actions name. In bidirectional schedules two
// ranks hold a stage, so that every parameter has two copies in the pipeline.
#pragma once

#include <cstdint>
#include <vector>

#include "schedules/schedule.h"
#include "sim/experiment/experiment.h"
#include "sim/model/layout.h"

namespace pipescope {

struct Ownership {
  std::vector<std::vector<int>> stages_of_rank;  // ascending
  std::vector<std::vector<int>> ranks_of_stage;  // ascending
};

Ownership OwnershipOf(const schedules::Schedule& schedule);

// Parameters that one GPU of a pipeline rank holds. An MTP module shares the embedding and the head
// with the model where both are on one rank, else it brings a copy of the embedding.
struct HeldParameters {
  int64_t shared = 0;  // replicated over the data-parallel group
  int64_t expert = 0;  // this GPU's share of the routed experts
};

// Whether one of the stages has the embedding.
bool HoldsEmbedding(const model::Layout& layout, const std::vector<int>& stages);

// Of one stage; an MTP module brings its own embedding unless `shares_embedding`.
HeldParameters StageParameters(const Experiment& experiment, const model::StageLayout& stage,
                               bool shares_embedding);

// Of a rank with all its stages; the embedding counts once where an MTP module is on the rank too.
HeldParameters RankParameters(const Experiment& experiment, const model::Layout& layout,
                              const std::vector<int>& stages);

// GPUs that hold the same parameters: over them ZeRO-1 shards the optimizer.
int SharedGroup(const Experiment& experiment, int copies);  // data x context x copies
int ExpertGroup(const Experiment& experiment, int copies);  // GPUs of a rank / expert x copies

// How many of its parameters a GPU of that rank updates: its shard, or all without ZeRO.
double UpdatedParameters(const Experiment& experiment, const model::Layout& layout,
                         const Ownership& ownership, size_t rank);

int64_t GradientBytesPerParameter(const Experiment& experiment);  // FP32 or BF16

// Bytes of optimizer state a parameter has: FP32 master and two moments, BF16 under V3's recipe.
int64_t OptimizerBytesPerParameter(const Experiment& experiment);

}  // namespace pipescope
