#include <fmt/format.h>

#include <algorithm>

#include "cli/explain.h"
#include "sim/base/quantity.h"
#include "sim/lowering/ownership.h"

namespace pipescope::cli {
namespace {

double Number(Bytes bytes) { return static_cast<double>(bytes.value()); }

Explanation Total(const std::string& name, size_t rank, const RankMemory& m) {
  const Bytes sum = m.parameters + m.gradients + m.optimizer + m.activations_peak + m.buffers;
  const std::string of = fmt::format("memory.{}.", rank);
  return {name,
          fmt::format("the most that a GPU of rank {} holds, of {}", rank, FormatGiB(m.limit)),
          "parameters + gradients + optimizer + activations + buffers",
          {{"parameters", FormatGiB(m.parameters), of + "parameters"},
           {"gradients", FormatGiB(m.gradients), of + "gradients"},
           {"optimizer", FormatGiB(m.optimizer), of + "optimizer"},
           {"activations", FormatGiB(m.activations_peak), of + "activations_peak"},
           {"buffers", FormatGiB(m.buffers), "memory.reserved, and placeholders of gradients"}},
          Number(sum),
          Number(m.total_peak),
          FormatGiB(sum)};
}

// Two bytes of BF16 a parameter tell how many there are; gradients have so many bytes each.
std::vector<Explanation> Held(const Experiment& e, size_t rank, const RankMemory& m) {
  const double held = Number(m.parameters) / 2;
  const auto wide = static_cast<double>(GradientBytesPerParameter(e));
  const auto state = static_cast<double>(OptimizerBytesPerParameter(e));
  const double updated = Number(m.optimizer) / state;
  const std::string of = fmt::format("memory.{}.", rank);
  const Term parameters = {"held", FormatCount(held), "parameters of the rank's stages on a GPU"};
  return {{of + "parameters",
           "BF16 parameters of a GPU",
           "held x 2 B",
           {parameters},
           held * 2,
           Number(m.parameters),
           FormatGiB(m.parameters)},
          {of + "gradients",
           "the sums of gradients of a GPU",
           "held x width",
           {parameters, {"width", fmt::format("{} B", wide), wide > 2 ? "FP32" : "BF16"}},
           held * wide,
           Number(m.gradients),
           FormatGiB(m.gradients)},
          {of + "optimizer",
           "FP32 master weights and two moments of what a GPU updates",
           "updated x width",
           {{"updated", FormatCount(updated),
             e.parallel.zero_stage == 1 ? "its ZeRO-1 share of the parameters" : "all it holds"},
            {"width", fmt::format("{} B", state), e.training.fp8 ? "moments in BF16" : "all FP32"}},
           updated * state,
           Number(m.optimizer),
           FormatGiB(m.optimizer)}};
}

Explanation Activations(size_t rank, const RankMemory& m) {
  Explanation x = {
      fmt::format("memory.{}.activations_peak", rank),
      "saved for backward work when a GPU of the rank holds the most, at " + Format(m.peak_time),
      "sum over what is held",
      {},
      0,
      Number(m.activations_peak),
      ""};
  for (const timeline::Holder& h : m.held) {
    x.value += Number(h.bytes);
    x.terms.push_back(
        {fmt::format("stage {}", h.stage.value()), FormatGiB(h.bytes),
         fmt::format("{} micro-batches, {}", h.microbatches, timeline::NameOf(h.what))});
  }
  x.shown = FormatGiB(RoundBytes(x.value));
  return x;
}

}  // namespace

std::vector<Explanation> ExplainMemory(const Experiment& e, const StepResult& r) {
  std::vector<Explanation> list;
  if (r.memory.empty()) return list;
  size_t worst = 0;
  for (size_t i = 0; i < r.memory.size(); ++i) {
    if (r.memory[i].total_peak > r.memory[worst].total_peak) worst = i;
  }
  list.push_back(Total("memory.total_peak", worst, r.memory[worst]));
  for (size_t i = 0; i < r.memory.size(); ++i) {
    list.push_back(Total(fmt::format("memory.{}", i), i, r.memory[i]));
    for (Explanation& part : Held(e, i, r.memory[i])) list.push_back(std::move(part));
    list.push_back(Activations(i, r.memory[i]));
  }
  return list;
}

}  // namespace pipescope::cli
