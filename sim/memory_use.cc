#include "sim/memory_use.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sim/model/activations.h"
#include "sim/model/saved_tensors.h"

namespace pipescope {

std::vector<timeline::StageActivations> StageActivationsOf(const Experiment& e,
                                                           const model::Layout& layout) {
  std::vector<timeline::StageActivations> stages;
  for (const model::StageLayout& stage : layout) {
    timeline::StageActivations sum;
    for (const model::Block& block : stage.blocks) {
      const model::ActivationBytes part = model::ActivationsOf(e.model, e.shape(), block);
      sum.until_backward += part.until_backward;
      sum.until_weight_grad += part.until_weight_grad;
      // Blocks work one after the other, from the last to the first: the greatest one counts.
      sum.working = std::max(sum.working, part.working);
    }
    stages.push_back(sum);
  }
  return stages;
}

Bytes Placeholders(const Experiment& e, const model::Layout& layout,
                   const std::vector<int>& stages) {
  Bytes sum;
  if (e.training.fp8) return sum;
  std::set<std::pair<int64_t, int64_t>> shapes;
  for (const int s : stages) {
    for (const model::Block& block : layout[static_cast<size_t>(s)].blocks) {
      for (const auto& shape : model::WeightShapes(e.model, e.shape(), block)) shapes.insert(shape);
    }
  }
  for (const auto& [rows, columns] : shapes) sum += Bytes(2 * rows * columns);
  return sum;
}

std::vector<RankMemory> MemoryByRank(const Experiment& e, const model::Layout& layout,
                                     const Ownership& own,
                                     const std::vector<timeline::MemoryCurve>& activations) {
  std::vector<RankMemory> ranks;
  for (size_t r = 0; r < activations.size(); ++r) {
    const HeldParameters held = RankParameters(e, layout, own.stages_of_rank[r]);
    RankMemory m;
    m.parameters = Bytes(2 * (held.shared + held.expert));
    m.gradients = Bytes(GradientBytesPerParameter(e) * (held.shared + held.expert));
    m.optimizer = RoundBytes(static_cast<double>(OptimizerBytesPerParameter(e)) *
                             UpdatedParameters(e, layout, own, r));
    m.activations_peak = activations[r].peak;
    m.buffers = e.reserved + Placeholders(e, layout, own.stages_of_rank[r]);
    m.total_peak = m.parameters + m.gradients + m.optimizer + m.activations_peak + m.buffers;
    m.limit = e.cluster.gpu.memory;
    m.peak_time = activations[r].peak_time;
    m.held = activations[r].held;
    ranks.push_back(m);
  }
  return ranks;
}

Status CheckMemory(const Experiment& e, const std::string& schedule,
                   const std::vector<RankMemory>& memory) {
  const auto worst =
      std::max_element(memory.begin(), memory.end(), [](const RankMemory& a, const RankMemory& b) {
        return a.total_peak - a.limit < b.total_peak - b.limit;
      });
  if (worst == memory.end() || worst->total_peak <= worst->limit) return {};
  return Fail(Error{
      fmt::format("schedule {} needs {} on rank {}, more than the {} of a {}: parameters {}, "
                  "gradients {}, optimizer {}, activations {}, buffers {}; take another schedule "
                  "or plan, or set memory.enforce=false to see it all the same",
                  schedule, FormatGiB(worst->total_peak), worst - memory.begin(),
                  FormatGiB(worst->limit), e.cluster.gpu.name, FormatGiB(worst->parameters),
                  FormatGiB(worst->gradients), FormatGiB(worst->optimizer),
                  FormatGiB(worst->activations_peak), FormatGiB(worst->buffers)),
      {e.file}});
}

}  // namespace pipescope
