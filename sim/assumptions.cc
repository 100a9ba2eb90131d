#include "sim/assumptions.h"

#include <fmt/format.h>

namespace pipescope {
namespace {

const char* WaysText(Paths paths) {
  switch (paths) {
    case Paths::kDestination:
      return "by destination";
    case Paths::kHash:
      return "by hash";
    case Paths::kSpread:
      return "all at once, in equal parts";
    case Paths::kLeastLoaded:
      return "the least loaded when a flow starts";
    case Paths::kValiant:
      return "by a switch that a hash picks, where the fabric has longer ways";
    case Paths::kAdaptive:
      return "the shortest, or a longer one where it is full, when a flow starts";
  }
  return "";
}

}  // namespace

std::vector<costs::Assumption> AssumptionsOf(const Experiment& e, const costs::Spread& spread,
                                             const Stages& stages, const std::string& made_for,
                                             Fidelity fidelity) {
  const size_t count = stages.layout.size();
  std::vector<costs::Assumption> list = {
      {"layers of the stages",
       stages.given ? fmt::format("the layout of {} stages", count)
                    : fmt::format("spread over {} stages by their work", count),
       stages.given ? "the experiment"
                    : fmt::format("the experiment has no layout of {} stages", count)},
      {"communication SMs beside computation",
       fmt::format("{} of {}", e.communication.sms, e.cluster.gpu.sms), "the experiment"},
      {"routing",
       fmt::format("balanced; a token's experts are on {:.2f} nodes and {:.2f} GPUs",
                   spread.token_nodes, spread.token_gpus),
       "computed from the model's expert groups (sim/costs/routing.h)"},
      {"what hides communication", "only an overlapped forward-backward pair",
       "F, I, W and B alone run their phases one after the other"},
      {"gradients",
       fmt::format("{}, {}{}", e.communication.fp32_gradients ? "FP32" : "BF16",
                   e.communication.overlap_gradients ? "reduced as soon as a stage is done"
                                                     : "reduced when the rank is done",
                   e.training.fused_gradients ? "" : ", added up by kernels of their own"),
       "the experiment"},
      {"parameters",
       e.parallel.zero_stage == 0           ? "updated by every replica"
       : e.communication.overlap_parameters ? "gathered by stage as the next step starts"
                                            : "gathered at the step's end",
       "the experiment"},
      {"MFU", "6 FLOPs a multiplied parameter and attention, of the BF16 peak",
       "without MTP and recomputation, as is usual"},
  };
  if (fidelity == Fidelity::kSchedule) {
    list.push_back({"lengths of actions and hops", "those of each alone, whatever else runs",
                    "fidelity schedule; op shares SMs, HBM, NVLink and NIC"});
  }
  if (fidelity == Fidelity::kFlow) {
    list.push_back(
        {"fabric", "every GPU and every flow, max-min fair on the links of its route",
         fmt::format("fidelity flow; ways {}{}; the times shown are of the replica that "
                     "ends last",
                     WaysText(e.communication.paths),
                     e.communication.to_rail ? ", by the NIC of the destination's rail" : "")});
  }
  if (e.stage_scale.measured) {
    list.push_back({"times of the stages",
                    "what was measured in the mean; the model says how stages differ",
                    "costs.stages of the experiment"});
  }
  if (!made_for.empty()) {
    list.push_back({"the schedule is made for", made_for,
                    "the experiment: each action alone, and what its memory leaves"});
  }
  for (costs::Assumption& a : costs::Describe(e.efficiencies)) list.push_back(std::move(a));
  return list;
}

}  // namespace pipescope
