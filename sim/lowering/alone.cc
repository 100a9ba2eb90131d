#include "sim/lowering/alone.h"

#include <algorithm>

#include "sim/lowering/action_template.h"
#include "sim/lowering/phase_costs.h"
#include "sim/lowering/places.h"

namespace pipescope {

TaskGraph LowerAlone(const Experiment& experiment, const model::Layout& layout,
                     const costs::Spread& spread, const schedules::Action& action) {
  TaskGraph graph;
  graph.ranks = 1;
  PhaseCosts costs(experiment, spread, graph);
  const bool pair = action.kind == schedules::ActionKind::kOverlapped;
  const model::StageLayout& stage = layout[action.stage.index()];
  const model::StageLayout& backward = pair ? layout[action.backward_stage.index()] : stage;
  const ActionTemplate templ = MakeActionTemplate(action.kind, stage, backward, experiment, costs);
  for (size_t i = 0; i < templ.operations.size(); ++i) {
    graph.tasks.push_back({0, 0, templ.operations[i].templ, -1});
    for (const int32_t before : templ.operations[i].after) {
      graph.edges.emplace_back(before, static_cast<int32_t>(i));
    }
  }
  return graph;
}

Bytes MessageSize(const Experiment& experiment) {
  return Bytes(experiment.shape().shard() * experiment.model.hidden * 2);
}

costs::Price HopPrice(const PhaseCosts& costs, const Experiment& experiment, bool same_node) {
  costs::Price price = costs.prices().Message(
      {costs::CollectiveKind::kPointToPoint, MessageSize(experiment), 2, same_node ? 2 : 1});
  const StageScale& scale = experiment.stage_scale;
  if (const auto measured = same_node ? scale.hop : scale.hop_between_nodes) {
    price.demand.time = *measured;
    for (costs::PricePart& part : price.parts) {
      part = {part.what, part.subject, costs::Origin::kMeasured, *measured, Duration()};
    }
  }
  return price;
}

Duration HopTime(const Experiment& experiment, const costs::Spread& spread) {
  TaskGraph graph;
  const PhaseCosts costs(experiment, spread, graph);
  Duration slowest;
  for (int r = 0; r + 1 < experiment.parallel.pipeline; ++r) {
    const bool same_node = SameNode(experiment, r, r + 1);
    slowest = std::max(slowest, HopPrice(costs, experiment, same_node).demand.time);
  }
  return slowest;
}

}  // namespace pipescope
