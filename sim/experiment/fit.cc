#include "sim/experiment/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace pipescope {
namespace {

void CheckSplit(Fields& root, const Experiment& e) {
  const model::Attention& a = e.model.attention;
  const int64_t t = e.parallel.tensor, c = e.parallel.context;
  const auto check = [&](const char* what, int64_t value, int64_t by, const std::string& split) {
    if (value % by == 0) return;
    root.Note("parallel", fmt::format("{} do not divide the model's {} {}", split, value, what));
  };
  const std::string tensor = fmt::format("tensor = {} GPUs", t);
  check("attention heads", a.heads, t, tensor);
  check("heads of keys and values", a.key_heads(), t, tensor);
  check("words", e.model.vocabulary, t, tensor);
  check("columns of the hidden state", e.model.hidden, t, tensor);
  check("columns of the dense MLP", e.model.dense_intermediate, t, tensor);
  check("columns of the shared expert", e.model.shared_intermediate, t, tensor);
  if (c > 1 && e.parallel.exchange == model::ContextExchange::kAllToAll) {
    const std::string both = fmt::format("tensor x context = {} x {} GPUs", t, c);
    check("attention heads", a.heads, t * c, both);
    check("heads of keys and values", a.key_heads(), t * c, both);
  }
  const int64_t parts = (c > 1 ? 2 * c : 1) * t;  // an early and a late part of every sequence
  if (e.training.sequence_length % parts != 0) {
    root.Note("training", fmt::format("a sequence of {} tokens does not split into {} parts",
                                      e.training.sequence_length, parts));
  }
}

void CheckAttention(Fields& root, const Experiment& e) {
  if (!e.training.unfused_attention) return;
  const bool windows = std::any_of(e.model.layer.begin(), e.model.layer.end(),
                                   [](const model::LayerKind& kind) { return kind.window > 0; });
  const bool fits = e.parallel.context == 1 && !e.training.fp8 && !windows;
  if (fits && e.training.recompute != model::Recompute::kDeepseekV3) return;
  root.Note("training",
            "attention: unfused keeps every score of whole sequences in BF16: expected parallel."
            "context 1, precision bf16, recompute none, selective or full, and no windows");
}

}  // namespace

void CheckFit(Fields& root, const Experiment& e) {
  if (e.gpus() > e.cluster.gpus()) {
    const bool split = e.parallel.tensor * e.parallel.context > 1;
    root.Note(
        "parallel",
        fmt::format("pipeline x data{} = {} x {}{} = {} GPUs do not fit: the "
                    "topology '{}' has {}",
                    split ? " x context x tensor" : "", e.parallel.pipeline, e.parallel.data,
                    split ? fmt::format(" x {} x {}", e.parallel.context, e.parallel.tensor) : "",
                    e.gpus(), e.cluster.name, e.cluster.gpus()));
  }
  CheckSplit(root, e);
  CheckAttention(root, e);
  if (e.parallel.pipeline > e.model.layers()) {
    root.Note("parallel", fmt::format("pipeline = {} does not fit: the model '{}' has {} layers, "
                                      "and a stage needs one",
                                      e.parallel.pipeline, e.model.name, e.model.layers()));
  }
  if (e.training.fp8 && e.cluster.gpu.fp8.value() <= 0) {
    root.Note("training", fmt::format("precision fp8: the topology's GPU '{}' has no FP8 rate",
                                      e.cluster.gpu.name));
  }
}

void CheckStageTimes(Fields& prices, const Experiment& e) {
  const ParallelPlan& plan = e.parallel;
  if (plan.tensor * plan.context * plan.expert > 1) {
    prices.Note("stages",
                "contain what tensor, context and expert parallelism send: expected a "
                "plan without, or a profile of kernels");
  }
  if (e.training.recompute == model::Recompute::kFull) {
    prices.Note("stages",
                "tell nothing of a forward pass that is computed again: expected another "
                "training.recompute");
  }
  if (e.profile != nullptr || e.measured != nullptr) {
    prices.Note("stages",
                "are the same work as the kernels of profile or efficiency_file: "
                "expected one of them");
  }
}

void CheckStageTimesHold(Fields& prices, const std::vector<std::string>& overrides) {
  std::string changed;
  for (const std::string& override : overrides) {
    const std::string path = override.substr(0, override.find('='));
    if (path == "costs" || path.starts_with("costs.stages")) return;
    for (const char* of : {"model", "training", "training.micro_batch_size",
                           "training.sequence_length", "training.precision"}) {
      if (path == of) changed = path;
    }
  }
  if (changed.empty()) return;
  prices.Note("stages", fmt::format("were measured before {} was changed: expected costs.stages "
                                    "to be set as well",
                                    changed));
}

}  // namespace pipescope
