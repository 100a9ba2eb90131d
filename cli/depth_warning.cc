#include "cli/depth_warning.h"

#include <fmt/format.h>

#include "sim/base/quantity.h"
#include "sim/simulate.h"

namespace pipescope::cli {
namespace {

// Where every GPU's flows differ, a step of more takes minutes.
constexpr int kQuickGpus = 256;

bool EveryFlowDiffers(const Experiment& e) {
  const bool chosen = e.communication.paths != Paths::kDestination;
  return e.what_if.expert_skew > 0 || (chosen && e.communication.paths != Paths::kHash);
}

}  // namespace

std::vector<std::string> UnseenByOp(const Experiment& e) {
  std::vector<std::string> unseen;
  const topology::Faults& faults = e.cluster.faults;
  if (!e.what_if.slow_gpus.empty()) unseen.emplace_back("slow GPUs");
  if (e.what_if.expert_skew > 0) unseen.emplace_back("skewed experts");
  if (!faults.slow_nics.empty()) unseen.emplace_back("slow NICs");
  if (!faults.dead_nics.empty()) unseen.emplace_back("dead NICs");
  if (!faults.dead_switches.empty() || !faults.cables.empty()) {
    unseen.emplace_back("dead and slow links");
  }
  if (e.communication.paths == Paths::kHash) unseen.emplace_back("collisions of hashed paths");
  if (e.communication.paths == Paths::kValiant || e.communication.paths == Paths::kAdaptive) {
    unseen.emplace_back("longer paths");
  }
  switch (e.cluster.fabric.kind) {
    case topology::FabricKind::kDragonfly:
    case topology::FabricKind::kDragonflyPlus:
    case topology::FabricKind::kTorus:
    case topology::FabricKind::kExplicit:
      unseen.emplace_back("the fabric's single links");
      break;
    default:
      break;
  }
  return unseen;
}

std::string DepthWarning(const Experiment& e, const StepResult& result,
                         const std::string& schedule) {
  const std::vector<std::string> unseen = UnseenByOp(e);
  if (unseen.empty() || result.fidelity == NameOf(Fidelity::kFlow)) return "";
  std::string size;
  if (EveryFlowDiffers(e) && e.gpus() > kQuickGpus) {
    size = "; --fidelity flow does, in many minutes at this size";
  } else if (const auto flow = SimulateFigures(e, schedule, Fidelity::kFlow)) {
    size = fmt::format("; with --fidelity flow the step takes {}, {:+.1f} %",
                       Format(flow->step_time), (flow->step_time / result.step_time - 1) * 100);
  } else {
    size = "; --fidelity flow: " + flow.error().message;
  }
  return fmt::format("pipescope: warning: {}: fidelity {} does not see {}{}\n", result.schedule,
                     result.fidelity, fmt::join(unseen, ", "), size);
}

}  // namespace pipescope::cli
