#include "sim/experiment/stage_times.h"

#include <span>

#include "sim/base/result.h"
#include "sim/costs/prices.h"
#include "sim/experiment/experiment.h"
#include "sim/model/layout.h"

namespace pipescope {

std::optional<StageTimes> ReadStageTimes(Fields& costs) {
  if (!costs.Has("stages")) return std::nullopt;
  Fields fields = costs.Object("stages");
  StageTimes times;
  times.count = static_cast<int>(fields.Integer("count", 1, 1 << 16));
  const auto positive = [&](const char* name) {
    const Duration time = fields.GetDuration(name);
    if (fields.Has(name) && time <= Duration()) {
      fields.Note(name, "expected a time above zero");
    }
    return time;
  };
  times.forward = positive("forward");
  times.input_grad = positive("input_grad");
  times.weight_grad = positive("weight_grad");
  if (fields.Has("hop")) times.hop = fields.GetDuration("hop");
  times.hop_between_nodes = times.hop;
  if (fields.Has("hop_between_nodes")) {
    times.hop_between_nodes = fields.GetDuration("hop_between_nodes");
  }
  return times;
}

StageScale ScaleOf(const Experiment& e, const StageTimes& times) {
  const costs::Prices prices(e.cluster, e.efficiencies, {});
  const auto whole = model::BalancedLayout(e.model, 1);
  PIPESCOPE_CHECK(whole.has_value());
  Duration forward, input_grad, weight_grad;
  const auto add = [&](std::span<const model::Phase> phases, Duration& sum) {
    for (const model::Phase& phase : phases) {
      if (model::Computes(phase)) sum += prices.Phase(phase.kernels, e.cluster.gpu.sms).demand.time;
    }
  };
  for (const model::Block& block : whole->front().blocks) {
    const model::BlockWork work = model::WorkOf(e.model, e.shape(), block);
    add(work.forward, forward);
    add(work.input_grad, input_grad);
    add(work.weight_grad, weight_grad);
  }
  const auto ratio = [&](Duration measured, Duration modelled) {
    return measured / modelled * times.count;
  };
  return {ratio(times.forward, forward),
          ratio(times.input_grad, input_grad),
          ratio(times.weight_grad, weight_grad),
          true,
          times.hop,
          times.hop_between_nodes};
}

}  // namespace pipescope
