#include "sim/profile.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/action_times.h"
#include "sim/costs/routing.h"
#include "sim/lowering/alone.h"
#include "sim/lowering/ownership.h"
#include "sim/memory_use.h"
#include "sim/stages.h"

namespace pipescope {
namespace {

using schedules::ActionKind;
using schedules::Placement;

double Milliseconds(Duration time) { return time.seconds() * 1e3; }
double GiB(Bytes bytes) { return static_cast<double>(bytes.value()) / (1 << 30); }

schedules::Costs CostsOf(const Experiment& e, const model::Layout& layout,
                         const costs::Spread& spread, bool pairs) {
  const int stages = static_cast<int>(layout.size());
  const auto time = [&](ActionKind kind, int stage) {
    const StageId other(stages - 1 - stage);
    return Milliseconds(TimeAlone(e, layout, spread,
                                  {kind, StageId(stage), MicrobatchId(0), other, MicrobatchId(0)}));
  };
  schedules::Costs costs{.forward = {}, .input_grad = {}, .weight_grad = {}};
  for (int s = 0; s < stages; ++s) {
    costs.forward.push_back(time(ActionKind::kForward, s));
    costs.input_grad.push_back(time(ActionKind::kInputGrad, s));
    costs.weight_grad.push_back(time(ActionKind::kWeightGrad, s));
    costs.backward.push_back(time(ActionKind::kBackward, s));
    if (pairs) costs.overlapped.push_back(time(ActionKind::kOverlapped, s));
  }
  costs.comm = Milliseconds(HopTime(e, spread));
  return costs;
}

// Holds every stage where the placement puts it; nothing else about it matters.
Ownership OwnershipOf(Placement placement, int ranks, int stages) {
  schedules::Schedule schedule;
  schedule.ranks = ranks;
  schedule.stages = stages;
  schedule.actions.resize(static_cast<size_t>(ranks));
  for (int r = 0; r < ranks; ++r) {
    auto& actions = schedule.actions[static_cast<size_t>(r)];
    actions.push_back({ActionKind::kForward, StageId(r), MicrobatchId(0)});
    if (placement == Placement::kLinear) continue;
    actions.push_back({ActionKind::kForward, StageId(stages - 1 - r), MicrobatchId(0)});
  }
  return pipescope::OwnershipOf(schedule);
}

std::string ListText(const std::vector<double>& list) {
  std::string text;
  for (size_t i = 0; i < list.size();) {
    size_t same = i;
    while (same < list.size() && list[same] == list[i]) ++same;
    text += fmt::format("{}{:.6g}", i == 0 ? "" : ", ", list[i]);
    if (same - i > 1) text += fmt::format(" x{}", same - i);
    i = same;
  }
  return text;
}

std::string TooFull(size_t rank, const RankMemory& memory, double least) {
  const std::string taken = fmt::format(
      "parameters, gradients, optimizer and buffers take {} of {}; take another plan, "
      "or set memory.enforce=false to see it all the same",
      FormatGiB(memory.total_peak), FormatGiB(memory.limit));
  if (memory.total_peak >= memory.limit) {
    return fmt::format("rank {} has no memory left for activations: {}", rank, taken);
  }
  return fmt::format(
      "rank {} has {} left for activations, and one micro-batch takes {:.2f} GiB: {}", rank,
      FormatGiB(memory.limit - memory.total_peak), least, taken);
}

}  // namespace

Result<schedules::Profile> ProfileOf(const Experiment& e, Placement placement) {
  const int ranks = e.parallel.pipeline;
  auto stages = ChooseLayout(e, placement == Placement::kV ? 2 * ranks : ranks);
  if (!stages) return Fail(stages.error());
  const model::Layout& layout = stages->layout;
  auto spread = costs::SpreadOf(e.model, e.parallel.expert, e.cluster.node.gpus);
  if (!spread) return Fail(Error{spread.error().message, e.places.expert, "parallel.expert"});
  schedules::Profile profile;
  profile.costs = CostsOf(e, layout, *spread, placement != Placement::kLinear);
  profile.goal = schedules::Goal::kMakespan;
  profile.memory.clear();
  for (const timeline::StageActivations& stage : StageActivationsOf(e, layout)) {
    const double until_backward = GiB(stage.until_backward);
    const double until_weight = GiB(stage.until_weight_grad);
    profile.memory.push_back(
        {until_backward, until_weight - until_backward, -until_weight, until_weight});
  }
  const Ownership own = OwnershipOf(placement, ranks, static_cast<int>(layout.size()));
  const std::vector<timeline::MemoryCurve> none(static_cast<size_t>(ranks));
  for (const RankMemory& rank : MemoryByRank(e, layout, own, none)) {
    const size_t r = profile.limit.size();
    double least = 0;
    for (const int stage : own.stages_of_rank[r]) {
      least += profile.memory[static_cast<size_t>(stage)].forward;
    }
    profile.limit.push_back(GiB(rank.limit) - GiB(rank.total_peak));
    if (e.held_microbatches > 0) {
      const double held = least * static_cast<double>(e.held_microbatches);
      profile.limit[r] = std::min(profile.limit[r], held);
    }
    if (profile.limit[r] >= least) continue;
    if (e.enforce_memory) return Fail(Error{TooFull(r, rank, least), {e.file}});
    profile.limit[r] = least;
  }
  return profile;
}

std::string ProfileText(const schedules::Profile& profile) {
  const schedules::Costs& costs = profile.costs;
  std::string text = fmt::format("F {} ms by stage; I {}; W {}; B {}", ListText(costs.forward),
                                 ListText(costs.input_grad), ListText(costs.weight_grad),
                                 ListText(costs.backward));
  if (!costs.overlapped.empty()) text += fmt::format("; FB {}", ListText(costs.overlapped));
  std::vector<double> backward, weight;
  for (const schedules::MemoryDeltas& memory : profile.memory) {
    backward.push_back(memory.forward);
    weight.push_back(-memory.weight_grad);
  }
  return text + fmt::format(
                    "; hop {:.6g} ms; a micro-batch {} GiB until its backward, {} GiB from I "
                    "until W; at most {} GiB of activations by rank",
                    costs.comm, ListText(backward), ListText(weight), ListText(profile.limit));
}

}  // namespace pipescope
