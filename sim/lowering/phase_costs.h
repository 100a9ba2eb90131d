// The price list of one experiment: a task template for every phase of every kind of block.
//
// Templates are shared: all MoE layers have the same phases, so DeepSeek-V3 needs some forty.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "sim/costs/communication_cost.h"
#include "sim/costs/prices.h"
#include "sim/costs/routing.h"
#include "sim/experiment/experiment.h"
#include "sim/lowering/task_graph.h"

namespace pipescope {

class PhaseCosts {
 public:
  // Templates and labels are added to `graph`, which must outlive this.
  PhaseCosts(const Experiment& experiment, const costs::Spread& spread, TaskGraph& graph);

  // The template of a compute phase on all SMs, or on those that communication leaves over.
  int32_t Compute(const model::Block& block, const model::Phase& phase, bool beside_communication);
  // The data movement of a dispatch or combine, alone or while the GPU computes, and the notify
  // that precedes it, where `computed` went before since the last one.
  int32_t AllToAll(const model::Phase& phase, bool beside_computation);
  int32_t Notify(const model::Phase& phase, Duration computed);
  bool notifies() const { return experiment_.communication.deduplicate; }
  bool overlaps_tensor() const { return experiment_.communication.overlap_tensor; }
  // What a tensor- or context-parallel group sends.
  int32_t Send(const model::Phase& phase);

  Duration TimeOf(int32_t templ) const;

  // A template of any other kind, not shared.
  int32_t Add(const timeline::Label& label, const costs::Demand& demand, Group group = {});
  int32_t Add(const timeline::Label& label, costs::Price price, Group group = {});

  const costs::Links& links() const { return prices_.links(); }
  const costs::Prices& prices() const { return prices_; }

 private:
  using Movement = std::tuple<model::PhaseKind, model::Pass, bool>;
  using Computation =
      std::tuple<model::BlockKind, model::PhaseKind, model::Pass, int64_t, bool, int>;
  int32_t LabelOf(const timeline::Label& label);
  int compute_sms(bool beside_communication) const;
  bool Whole() const;
  void ScaleToStages(model::Pass pass, costs::Price& price) const;
  costs::Price RowPerExpert(const model::Phase& phase) const;
  costs::Price Deduplicated(const model::Phase& phase, bool beside_computation) const;
  costs::LayerPart PartFor(measured::Kind kind, model::Pass pass) const;

  const Experiment& experiment_;
  const costs::Spread& spread_;
  TaskGraph& graph_;
  costs::Prices prices_;
  measured::Layer layer_;
  std::map<Computation, int32_t> computations_;
  std::map<Movement, int32_t> movements_;
  std::map<std::tuple<model::PhaseKind, model::Pass, Bytes>, int32_t> sends_;
  std::map<std::tuple<model::PhaseKind, model::Pass, Duration>, int32_t> notifies_;
};

}  // namespace pipescope
