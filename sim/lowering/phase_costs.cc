#include "sim/lowering/phase_costs.h"

#include <algorithm>

#include "sim/costs/kernel_cost.h"
#include "sim/costs/notify.h"
#include "sim/lowering/phase_labels.h"
#include "sim/lowering/places.h"

namespace pipescope {
namespace {

using model::Pass;
using model::PhaseKind;
using timeline::Lane;
using timeline::OperationKind;

measured::Kind MeasuredKind(PhaseKind kind) {
  switch (kind) {
    case PhaseKind::kAttention:
      return measured::Kind::kAttentionPhase;
    case PhaseKind::kMlp:
      return measured::Kind::kMlpPhase;
    case PhaseKind::kDispatch:
      return measured::Kind::kDispatch;
    case PhaseKind::kCombine:
      return measured::Kind::kCombine;
    default:
      return measured::Kind::kOther;
  }
}

measured::Pass MeasuredPass(Pass pass) {
  return pass == Pass::kForward     ? measured::Pass::kForward
         : pass == Pass::kInputGrad ? measured::Pass::kInputGrad
                                    : measured::Pass::kWeightGrad;
}

// The gradient of combine moves rows as a dispatch does, that of dispatch as a combine.
bool MovesAsDispatch(const model::Phase& phase) {
  return (phase.kind == PhaseKind::kDispatch) == (phase.pass == Pass::kForward);
}

// Priced by the models of communication_cost.h and notify.h; spreads as in prices.h.
costs::Price Analytic(const timeline::Label& label, costs::Subject subject,
                      const costs::Demand& demand, double spread) {
  const Duration off = Seconds(demand.time.seconds() * spread);
  return {demand, {{label.name, subject, costs::Origin::kAnalytic, demand.time, off}}};
}

costs::CollectiveKind KindOf(const model::Phase& phase, model::ContextExchange exchange) {
  switch (phase.kind) {
    case PhaseKind::kGather:
      return costs::CollectiveKind::kAllGather;
    case PhaseKind::kScatter:
      return costs::CollectiveKind::kReduceScatter;
    case PhaseKind::kReduce:
      return costs::CollectiveKind::kAllReduce;
    default:
      return exchange == model::ContextExchange::kAllToAll ? costs::CollectiveKind::kAllToAll
                                                           : costs::CollectiveKind::kAllGather;
  }
}

}  // namespace

PhaseCosts::PhaseCosts(const Experiment& experiment, const costs::Spread& spread, TaskGraph& graph)
    : experiment_(experiment),
      spread_(spread),
      graph_(graph),
      prices_(experiment.cluster, experiment.efficiencies, experiment.sources(), experiment.basis),
      layer_(costs::LayerOf(experiment.model, experiment.shape())) {
  graph.capacity = {links().memory.value(), links().nvlink.value(), links().network.value(),
                    links().network.value()};
}

// Whether a GPU does all of a layer's work for its tokens, as in measurements of whole phases.
bool PhaseCosts::Whole() const {
  return experiment_.parallel.tensor == 1 && experiment_.parallel.context == 1 &&
         experiment_.communication.deduplicate;
}

costs::LayerPart PhaseCosts::PartFor(measured::Kind kind, Pass pass) const {
  return {kind, MeasuredPass(pass), layer_};
}

int PhaseCosts::compute_sms(bool beside_communication) const {
  const int sms = experiment_.cluster.gpu.sms;
  return beside_communication ? sms - experiment_.communication.sms : sms;
}

int32_t PhaseCosts::LabelOf(const timeline::Label& label) {
  for (size_t i = 0; i < graph_.labels.size(); ++i) {
    if (graph_.labels[i].name == label.name) return static_cast<int32_t>(i);
  }
  graph_.labels.push_back(label);
  return static_cast<int32_t>(graph_.labels.size() - 1);
}

int32_t PhaseCosts::Add(const timeline::Label& label, const costs::Demand& demand, Group group) {
  TaskTemplate templ;
  templ.group = std::move(group);
  templ.label = LabelOf(label);
  templ.demand = demand;
  const double seconds = demand.time.seconds();
  const Bytes moved[kResources] = {demand.memory, demand.nvlink, demand.network_out,
                                   demand.network_in, Bytes(0)};
  for (size_t k = 0; k < kResources && seconds > 0; ++k) {
    // Alone nothing exceeds a resource; rounding may say so by a hair.
    templ.rates[k] = std::min(static_cast<double>(moved[k].value()) / seconds, graph_.capacity[k]);
  }
  graph_.templates.push_back(templ);
  return static_cast<int32_t>(graph_.templates.size() - 1);
}

int32_t PhaseCosts::Add(const timeline::Label& label, costs::Price price, Group group) {
  const int32_t templ = Add(label, price.demand, std::move(group));
  graph_.templates[static_cast<size_t>(templ)].parts = std::move(price.parts);
  return templ;
}

int32_t PhaseCosts::Compute(const model::Block& block, const model::Phase& phase,
                            bool beside_communication) {
  const int64_t window = experiment_.model.KindOf(block.layer).window;
  const Computation key{block.kind, phase.kind,           phase.pass,
                        window,     beside_communication, phase.part};
  if (const auto at = computations_.find(key); at != computations_.end()) return at->second;
  const int sms = compute_sms(beside_communication);
  const bool as_whole = block.kind == model::BlockKind::kMoeLayer && window == 0 && Whole();
  costs::Price price =
      as_whole ? prices_.Part(PartFor(MeasuredKind(phase.kind), phase.pass), phase.kernels, sms)
               : prices_.Phase(phase.kernels, sms);
  if (experiment_.stage_scale.measured) ScaleToStages(phase.pass, price);
  return computations_[key] = Add(LabelFor(phase.kind, phase.pass), std::move(price));
}

// The sum over all stages was measured: what the model's shares of it are off by cancels.
void PhaseCosts::ScaleToStages(Pass pass, costs::Price& price) const {
  price.Scale(experiment_.stage_scale.Of(pass));
  for (costs::PricePart& part : price.parts) {
    part.origin = costs::Origin::kInterpolated;
    part.spread = Duration();
  }
}

// Every row leaves once for each of its experts, in BF16. Dispatch sends the FP32 probabilities of
// the rows after them, since they weigh the experts' activations, and their gradients back.
costs::Price PhaseCosts::RowPerExpert(const model::Phase& phase) const {
  const int group = experiment_.parallel.expert;
  const int per_node = std::min(group, experiment_.cluster.node.gpus);
  const int64_t rows = model::ExpertRows(experiment_.model, experiment_.shape());
  const auto send = [&](int64_t bytes) {
    return prices_.Message({costs::CollectiveKind::kAllToAll, Bytes(bytes), group, per_node});
  };
  costs::Price price = send(2 * rows * experiment_.model.hidden);
  if (phase.kind == PhaseKind::kDispatch) price += send(4 * rows);
  return price;
}

// A row goes once to each node and GPU that needs it, as modelled or as measured.
costs::Price PhaseCosts::Deduplicated(const model::Phase& phase, bool beside_computation) const {
  const double d = static_cast<double>(experiment_.model.hidden);
  const bool fp8_rows = MovesAsDispatch(phase) && experiment_.training.fp8;
  const double row = fp8_rows ? d * (1 + 4.0 / 128) : 2 * d;
  const auto moved = [&](const costs::Links& links, const costs::Efficiencies& e) {
    costs::Demand demand = costs::AllToAll(spread_, experiment_.shape().shard(), row,
                                           experiment_.communication.sms, links, e);
    if (beside_computation) demand.time = Seconds(demand.time.seconds() * e.communication_beside);
    return demand;
  };
  const costs::Demand demand = moved(links(), experiment_.efficiencies);
  const costs::Basis* basis = prices_.basis();
  const Duration then =
      basis ? moved(costs::LinksOf(basis->cluster, basis->efficiencies), basis->efficiencies).time
            : demand.time;
  const costs::LayerPart part = PartFor(MeasuredKind(phase.kind), phase.pass);
  auto measured =
      Whole() ? prices_.Part(part, experiment_.communication.sms, demand, then) : std::nullopt;
  if (!measured) {
    return Analytic(LabelFor(phase.kind, phase.pass), costs::Subject::kExchange, demand,
                    beside_computation ? 0.2 : 0.05);
  }
  // Profiles measure it beside computation, in an overlapped pair.
  if (!beside_computation) measured->Scale(1 / experiment_.efficiencies.communication_beside);
  return *measured;
}

int32_t PhaseCosts::AllToAll(const model::Phase& phase, bool beside_computation) {
  const Movement key{phase.kind, phase.pass, beside_computation};
  if (const auto at = movements_.find(key); at != movements_.end()) return at->second;
  costs::Price price = experiment_.communication.deduplicate
                           ? Deduplicated(phase, beside_computation)
                           : RowPerExpert(phase);
  return movements_[key] = Add(LabelFor(phase.kind, phase.pass), std::move(price),
                               {experiment_.parallel.expert, 1});
}

int32_t PhaseCosts::Send(const model::Phase& phase) {
  const auto key = std::make_tuple(phase.kind, phase.pass, phase.moved);
  if (const auto at = sends_.find(key); at != sends_.end()) return at->second;
  const ParallelPlan& plan = experiment_.parallel;
  const bool exchange = phase.kind == PhaseKind::kExchange;
  const costs::CollectiveKind kind = KindOf(phase, plan.exchange);
  const bool direct = kind == costs::CollectiveKind::kAllToAll;
  // GPUs of a tensor-parallel group lie side by side, those of a context-parallel one apart by it.
  const Group who =
      exchange ? Group{plan.context, plan.tensor, direct} : Group{plan.tensor, 1, direct};
  const int per_node = PerNode(experiment_, who);
  return sends_[key] = Add(LabelFor(phase.kind, phase.pass),
                           prices_.Message({kind, phase.moved, who.size, per_node}), who);
}

int32_t PhaseCosts::Notify(const model::Phase& phase, Duration computed) {
  const bool first = phase.kind == PhaseKind::kDispatch && phase.pass == Pass::kForward;
  const std::string name = first                          ? "notify dispatch"
                           : phase.pass == Pass::kForward ? "notify F"
                                                          : "notify B";
  const int group = experiment_.parallel.expert;
  const costs::Meeting meeting{group, group > experiment_.cluster.node.gpus, first, computed};
  costs::Demand demand;
  demand.time = costs::NotifyTime(meeting, links(), experiment_.efficiencies);
  const costs::Basis* basis = prices_.basis();
  const Duration then =
      basis ? costs::NotifyTime(meeting, costs::LinksOf(basis->cluster, basis->efficiencies),
                                basis->efficiencies)
            : demand.time;
  const std::tuple key(phase.kind, phase.pass, demand.time);
  if (const auto at = notifies_.find(key); at != notifies_.end()) return at->second;
  const timeline::Label label = {name, OperationKind::kOther, Lane::kCommunication,
                                 PartOf(phase.pass)};
  const measured::Kind kind = phase.kind == PhaseKind::kDispatch ? measured::Kind::kNotifyDispatch
                                                                 : measured::Kind::kNotifyCombine;
  const auto measured =
      Whole() ? prices_.Part(PartFor(kind, phase.pass), experiment_.communication.sms, demand, then)
              : std::nullopt;
  return notifies_[key] = Add(
             label, measured ? *measured : Analytic(label, costs::Subject::kNotify, demand, 0.5),
             {group, 1});
}

Duration PhaseCosts::TimeOf(int32_t templ) const {
  return graph_.templates[static_cast<size_t>(templ)].demand.time;
}

}  // namespace pipescope
