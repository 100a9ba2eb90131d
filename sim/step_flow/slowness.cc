#include "sim/step_flow/slowness.h"

namespace pipescope {
namespace {

double RoutedShare(const model::ModelConfig& m) {
  const double routed =
      static_cast<double>(m.experts_per_token) * static_cast<double>(m.expert_intermediate);
  const double all = routed + static_cast<double>(m.shared_intermediate);
  return all > 0 ? routed / all : 0;
}

}  // namespace

Slowness::Slowness(const Experiment& e, const TaskGraph& graph)
    : graph_(graph), rank_gpus_(e.parallel.gpus_per_rank()), routed_share_(RoutedShare(e.model)) {
  if (!e.what_if.slow_gpus.empty()) gpu_.assign(static_cast<size_t>(e.gpus()), 1);
  for (const auto& [gpu, times] : e.what_if.slow_gpus) gpu_[static_cast<size_t>(gpu)] = times;
  if (e.what_if.expert_skew == 0) return;
  const int groups = e.gpus() / e.parallel.expert;
  for (int g = 0; g < groups; ++g) {
    const auto loads = ExpertLoads(e.what_if.expert_skew, e.parallel.expert, g);
    load_.insert(load_.end(), loads.begin(), loads.end());
  }
}

double Slowness::Of(const Task& task, int32_t replica) const {
  const size_t gpu = static_cast<size_t>(task.rank * rank_gpus_ + replica);
  const auto& templ = graph_.templates[static_cast<size_t>(task.templ)];
  const timeline::Label& label = graph_.labels[static_cast<size_t>(templ.label)];
  double times = gpu_.empty() ? 1 : gpu_[gpu];
  if (!load_.empty() && label.kind == timeline::OperationKind::kMlp) {
    times *= 1 + routed_share_ * (load_[gpu] - 1);
  }
  return times;
}

}  // namespace pipescope
