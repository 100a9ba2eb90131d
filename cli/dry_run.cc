#include "cli/dry_run.h"

#include <fmt/format.h>

#include "sim/make_schedule.h"
#include "sim/stages.h"

namespace pipescope::cli {
namespace {

const char* Name(model::Recompute recompute) {
  switch (recompute) {
    case model::Recompute::kNone:
      return "none";
    case model::Recompute::kSelective:
      return "selective";
    case model::Recompute::kFull:
      return "full";
    case model::Recompute::kDeepseekV3:
      break;
  }
  return "deepseek_v3";
}

const char* Name(Paths paths) {
  constexpr const char* kNames[] = {"destination",  "hash",    "spread",
                                    "least_loaded", "valiant", "adaptive"};
  return kNames[static_cast<size_t>(paths)];
}

std::string ParallelText(const ParallelPlan& p) {
  const bool gather = p.exchange == model::ContextExchange::kAllGather;
  return fmt::format(
      "parallel: {{pipeline: {}, data: {}, expert: {}, zero_stage: {}, tensor: {}, context: {}, "
      "context_exchange: {}, chunks: {}}}\n",
      p.pipeline, p.data, p.expert, p.zero_stage, p.tensor, p.context,
      gather ? "all_gather" : "all_to_all", p.chunks);
}

std::string TrainingText(const TrainingPlan& t) {
  return fmt::format(
      "training: {{sequence_length: {}, micro_batch_size: {}, global_batch: {}, precision: {}, "
      "recompute: {}, gradient_passes: {}, gradient_accumulation: {}, attention: {}, "
      "head_weight_grad: {}}}\n",
      t.sequence_length, t.micro_batch_size, t.global_batch, t.fp8 ? "fp8" : "bf16",
      Name(t.recompute), t.separate_passes ? "separate" : "fused",
      t.fused_gradients ? "fused" : "separate", t.unfused_attention ? "unfused" : "fused",
      t.deferred_head ? "deferred" : "with_input");
}

std::string CommunicationText(const CommunicationPlan& c) {
  return fmt::format(
      "communication: {{sms: {}, overlap_gradients: {}, overlap_parameters: {}, "
      "overlap_messages: {}, overlap_tensor: {}, dispatcher: {}, gradient_precision: {}, paths: "
      "{}, to_rail: {}, paths_seed: {}}}\n",
      c.sms, c.overlap_gradients, c.overlap_parameters, c.overlap_messages, c.overlap_tensor,
      c.deduplicate ? "deduplicated" : "all_to_all", c.fp32_gradients ? "fp32" : "bf16",
      Name(c.paths), c.to_rail, c.paths_seed);
}

std::string CostsText(const Experiment& e) {
  const CostsAsRead& read = e.costs_read;
  std::string text = "costs: {" + costs::YamlOf(e.efficiencies);
  if (!read.profile.empty()) text += fmt::format(", profile: \"{}\"", read.profile);
  if (!read.efficiency_file.empty()) {
    text += fmt::format(", efficiency_file: \"{}\"", read.efficiency_file);
  }
  if (read.stages) {
    const auto time = [](Duration d) { return fmt::format("{} ps", d.picoseconds()); };
    text += fmt::format(", stages: {{count: {}, forward: {}, input_grad: {}, weight_grad: {}",
                        read.stages->count, time(read.stages->forward),
                        time(read.stages->input_grad), time(read.stages->weight_grad));
    if (read.stages->hop) text += ", hop: " + time(*read.stages->hop);
    if (read.stages->hop_between_nodes) {
      text += ", hop_between_nodes: " + time(*read.stages->hop_between_nodes);
    }
    text += "}";
  }
  return text + "}\n";
}

std::string WhatIfText(const WhatIf& what_if) {
  std::string slow;
  for (const auto& [gpu, times] : what_if.slow_gpus) {
    slow += fmt::format("{}\"{} x {}\"", slow.empty() ? "" : ", ", gpu, times);
  }
  return fmt::format("what_if: {{slow_gpus: [{}], expert_skew: {}}}\n", slow, what_if.expert_skew);
}

std::string ExperimentText(const Experiment& e) {
  std::string layouts;
  for (const std::string& layout : e.layouts) {
    layouts += fmt::format("{}\"{}\"", layouts.empty() ? "" : ", ", layout);
  }
  return fmt::format("name: {}\nmodel: {}\ntopology: {}\nschedule: {}\nlayouts: [{}]\n", e.name,
                     e.model.name, e.topology, e.schedule, layouts) +
         ParallelText(e.parallel) + TrainingText(e.training) + CommunicationText(e.communication) +
         fmt::format("memory: {{reserved: {} B, enforce: {}, microbatches: {}}}\n",
                     e.reserved.value(), e.enforce_memory, e.held_microbatches) +
         CostsText(e) + WhatIfText(e.what_if);
}

}  // namespace

Result<std::string> PlanText(const Experiment& e, const std::vector<std::string>& schedules,
                             const std::string& fidelity, const std::string& engine) {
  std::string text = ExperimentText(e);
  text += fmt::format("# {} GPUs of {} on {}; {} micro-batches; fidelity {}, engine {}\n", e.gpus(),
                      e.cluster.name, e.cluster.gpu.name, e.microbatches(), fidelity, engine);
  for (const std::string& override : e.overrides) text += "# set: " + override + "\n";
  for (const std::string& name : schedules) {
    const auto made = MakeSchedule(e, name);
    if (!made) return Fail(made.error());
    const auto stages = ChooseLayout(e, made->schedule.stages);
    if (!stages) return Fail(stages.error());
    size_t actions = 0;
    for (const auto& rank : made->schedule.actions) actions += rank.size();
    text += fmt::format("# would simulate {}: {} actions on {} ranks, stages {}\n", name, actions,
                        made->schedule.ranks, model::PrintLayout(stages->layout));
  }
  return text;
}

}  // namespace pipescope::cli
