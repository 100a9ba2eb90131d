// An experiment: a model, a cluster, a parallel plan, a schedule. All that one prediction needs.
//
//   name: deepseek_v3_h800
//   model: deepseek_v3                  # a model the binary carries, or a path to a config.json
//   topology: h800_2048_fat_tree        # likewise, or a path to a topology file
//   schedule: dualpipe
//   layouts: ["Et*4|(t*4|)*14tmL"]      # used where the schedule has as many stages
//   parallel: {pipeline: 16, data: 128, expert: 64, zero_stage: 1}   # also tensor, context: 1
//   training: {sequence_length: 4096, micro_batch_size: 1, global_batch: 15360, precision: fp8}
//   communication: {sms: 20}            # also which communication is overlapped, see below
//   costs: {kernel_gap: 2 us}           # any figure of sim/costs/efficiencies.h; efficiency_file:
//                                       # a table of measured shapes (sim/costs/efficiency_file.h);
//                                       # profile: what `trace import` wrote, asked first
//                                       # (sim/costs/profile_source.h); stages: what timers say of
//                                       # whole stages (stage_times.h)
//   memory: {reserved: 3 GiB, enforce: true}   # microbatches: 16 caps what an automatic schedule
//                                       # may hold of a rank's activations
//   what_if: {slow_gpus: ["5 x 1.2"]}    # see what_if.h
//
// Paths count from the experiment's own file. GPUs: a pipeline rank holds data x context x tensor
// consecutive ones, numbered tensor first, then context, then data; expert groups are consecutive
// within them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/document.h"
#include "sim/base/result.h"
#include "sim/base/units.h"
#include "sim/costs/efficiencies.h"
#include "sim/costs/efficiency_file.h"
#include "sim/costs/prices.h"
#include "sim/costs/profile_source.h"
#include "sim/experiment/stage_times.h"
#include "sim/experiment/what_if.h"
#include "sim/model/config.h"
#include "sim/model/operations.h"
#include "topology/cluster.h"

namespace pipescope {

struct ParallelPlan {
  int pipeline = 1;    // pipeline ranks
  int data = 1;        // replicas of the pipeline
  int expert = 1;      // GPUs that share a layer's experts; divides those of a rank
  int zero_stage = 1;  // 0: every replica holds the whole optimizer; 1: each holds its share
  int tensor = 1;      // GPUs that split every layer's matrices, and norms by tokens
  int context = 1;     // GPUs that split every sequence
  model::ContextExchange exchange = model::ContextExchange::kAllToAll;
  int chunks = 0;  // stages a rank holds, of schedules that leave the choice; 0: theirs

  int gpus_per_rank() const { return data * context * tensor; }
};

struct TrainingPlan {
  int64_t sequence_length = 0;
  int64_t micro_batch_size = 1;  // sequences
  int64_t global_batch = 0;      // sequences in a step, over all replicas
  bool fp8 = false;
  model::Recompute recompute = model::Recompute::kDeepseekV3;
  bool fused_gradients = true;  // weight gradients are added up inside their GEMMs
  bool unfused_attention = false;
  bool deferred_head = false;    // the head's weight gradient is deferred where the schedule has W
  bool separate_passes = false;  // over gradients at the step's end, sim/lowering/step_end.h
};

// Which of the equally short ways through the fabric a transfer takes, or, on a dragonfly or a
// torus, which longer one (topology/route.h, least_loaded.h); fidelity `flow` alone looks at single
// links.
enum class Paths { kDestination, kHash, kSpread, kLeastLoaded, kValiant, kAdaptive };

struct CommunicationPlan {
  int sms = 20;                     // of each GPU, for dispatch and combine beside computation
  bool overlap_parameters = false;  // gather a stage's beside what comes before its first F
  bool overlap_gradients = true;    // reduce a stage's gradients as soon as they are complete
  bool fp32_gradients = true;       // reduced in FP32, else BF16
  bool overlap_messages = true;     // a rank goes on while what it sent is under way
  bool overlap_tensor = true;       // tensor-parallel messages of the backward pass, beside GEMMs
  bool deduplicate = true;  // a token's row goes once to a GPU (DeepEP), else once an expert
  Paths paths = Paths::kDestination;
  bool to_rail = true;     // leave by the NIC of the destination's index, over NVLink where need be
  int64_t paths_seed = 0;  // kHash, kValiant, kAdaptive
};

// What `costs` names besides figures; paths as the file has them, empty where it does not.
struct CostsAsRead {
  std::string profile, efficiency_file;
  std::optional<StageTimes> stages;
};

// Where the file says what can turn out wrong only later; without a line where --set said it.
struct Places {
  Location schedule, layouts, pipeline, chunks, expert, global_batch;
};

struct Experiment {
  std::string name;
  std::string file;
  Places places;
  model::ModelConfig model;
  topology::Cluster cluster;
  std::string topology;  // as the file names it
  std::string schedule;
  std::vector<std::string> layouts;
  ParallelPlan parallel;
  TrainingPlan training;
  CommunicationPlan communication;
  costs::Efficiencies efficiencies;
  std::shared_ptr<const costs::ProfileSource> profile;    // or null
  std::shared_ptr<const costs::EfficiencyFile> measured;  // or null
  std::shared_ptr<const costs::Basis> basis;              // of both; null: this very experiment
  StageScale stage_scale;                                 // of what the two do not know
  CostsAsRead costs_read;                                 // where the three come from
  WhatIf what_if;
  Bytes reserved;                      // CUDA context, libraries, communication buffers
  bool enforce_memory = true;          // a peak over the GPU's memory is an error
  int64_t held_microbatches = 0;       // at most, by automatic schedules; 0: what memory allows
  std::vector<std::string> overrides;  // "a.b=c" as given by --set

  // What was measured, in the order of asking.
  std::vector<std::shared_ptr<const costs::Source>> sources() const;
  int gpus() const { return parallel.pipeline * parallel.gpus_per_rank(); }
  int64_t microbatches() const {
    return training.global_batch / (parallel.data * training.micro_batch_size);
  }
  int64_t tokens_per_microbatch() const {
    return training.micro_batch_size * training.sequence_length;
  }
  model::WorkShape shape() const;
};

// Reads an experiment with `--set a.b=c` overrides applied, and everything it refers to; then
// checks that plan, model and cluster fit each other.
Result<Experiment> LoadExperiment(const std::string& path,
                                  const std::vector<std::string>& overrides = {});

}  // namespace pipescope
