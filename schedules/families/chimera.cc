// Chimera: two pipelines over the same ranks in opposite directions, one filling the other's waits.
//
// Rank r holds stage r for the micro-batches that go down and stage p-1-r for those that go up, so
// that every stage exists twice. Micro-batches come in units of p, half of them down (the first
// half of their numbers), half up. In slots of equal length (F = B = 1), with unit u and i = 0 ..
// p/2-1 within a direction, where the i-th goes down,
//
//   F(i) on rank r in slot 2pu + 2i + r;   B(i) in slot 2pu + 2i + 2p-1-r
//
// and the same with p-1-r for r where it goes up. No two actions share a slot, and the next unit's
// first forwards fall into the idle slots of a unit's drain. Ranks run their actions in this order.
//
// A rank waits (p-2)(max(F,B) + (m/p-1)|B-F|): every unit after the first meets slots of unequal
// length. With F = B these are the published p-2 slots of 2m+p-2, and with B = 2F and m = p the
// published (p-2)/(1.5m+p-2). That one is exact for m = p only: 4 ranks and m = 8 wait 6F of 30F,
// a fifth, and not a seventh.
//
// Example, 2 ranks, 2 micro-batches: 0F0 1F1 1B1 0B0 | 0F1 1F0 1B0 0B1.
// Source: Li and Hoefler, "Chimera", SC21, arXiv 2107.06925; orders of
// github.com/Shigangli/Chimera.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "schedules/family.h"

namespace pipescope::schedules {
namespace {

// The slots of one rank; every action is written to its own.
std::vector<Action> RankOrder(int ranks, int rank, int units) {
  const Action empty = {};
  const size_t length = 2 * static_cast<size_t>(ranks) * static_cast<size_t>(units);
  std::vector<Action> slots(length + static_cast<size_t>(ranks), empty);
  std::vector<bool> taken(slots.size());
  const auto put = [&](int slot, const Action& action) {
    slots[static_cast<size_t>(slot)] = action;
    taken[static_cast<size_t>(slot)] = true;
  };
  for (int unit = 0; unit < units; ++unit) {
    for (int i = 0; i < ranks; ++i) {
      const bool down = i < ranks / 2;
      const int stage = down ? rank : ranks - 1 - rank;
      const int enters = 2 * ranks * unit + 2 * (down ? i : i - ranks / 2);
      put(enters + stage, Make(ActionKind::kForward, stage, unit * ranks + i));
      put(enters + 2 * ranks - 1 - stage, Make(ActionKind::kBackward, stage, unit * ranks + i));
    }
  }
  std::vector<Action> order;
  order.reserve(length);
  for (size_t slot = 0; slot < slots.size(); ++slot) {
    if (taken[slot]) order.push_back(slots[slot]);
  }
  return order;
}

Result<Schedule> GenerateChimera(const Options& options) {
  if (options.ranks % 2 != 0) {
    return BadOption("--ranks", options.ranks, "chimera needs an even number of ranks");
  }
  if (options.microbatches % options.ranks != 0) {
    return BadOption("--microbatches", options.microbatches,
                     fmt::format("chimera runs units of as many micro-batches as ranks; expected "
                                 "a multiple of {}",
                                 options.ranks));
  }
  Schedule schedule = EmptySchedule("chimera", options, static_cast<int>(options.ranks));
  for (int rank = 0; rank < schedule.ranks; ++rank) {
    schedule.actions[static_cast<size_t>(rank)] =
        RankOrder(schedule.ranks, rank, schedule.microbatches / schedule.ranks);
  }
  return schedule;
}

std::optional<double> Bubble(const Options& options, const Costs& costs) {
  if (!UniformAndFree(costs)) return {};
  const double forward = costs.Forward(0), backward = costs.Backward(0);
  const double units = static_cast<double>(options.microbatches / options.ranks);
  return static_cast<double>(options.ranks - 2) *
         (std::max(forward, backward) + (units - 1) * std::abs(backward - forward));
}

}  // namespace

Family ChimeraFamily() {
  return {
      .name = "chimera",
      .aliases = {},
      .summary = "two pipelines in opposite directions fill each other's waits",
      .reference = "Chimera, arXiv 2107.06925",
      .constraints = "ranks even; microbatches a multiple of ranks",
      .options = "--ranks, --microbatches (of both directions)",
      .bubble = "(p-2)(max(F,B) + (m/p-1)|B-F|)",
      .bubble_exact_when = "stages cost the same and comm = 0",
      .peak_activations = "p/2 + 1 + min(r, p-1-r) on rank r",
      .parameter_copies = 2,
      .chunks = 2,
      .generate = GenerateChimera,
      .exact_bubble = Bubble,
  };
}

}  // namespace pipescope::schedules
