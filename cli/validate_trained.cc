#include "cli/validate_trained.h"

#include <algorithm>

#include "kernels/executor/packed.h"
#include "kernels/executor/processors.h"
#include "reports/validate_report.h"
#include "sim/base/quantile.h"
#include "sim/timeline/bubbles.h"

namespace pipescope::cli {

Result<Use> UseOfAll(executor::Crew& crew) {
  executor::Packer packer;
  packer.Put(OwnUse());
  const auto all = crew.Gather(packer.Take());
  if (!all) return Fail(all.error());
  Use sum;
  for (size_t i = 0; i < all->size() && i < static_cast<size_t>(crew.processes_here()); ++i) {
    const auto use = executor::Unpacker((*all)[i]).Get<Use>();
    sum.seconds += use.seconds;
    sum.pages += use.pages;
  }
  return sum;
}

Result<std::unique_ptr<Trained>> Trained::Make(schedules::Schedule schedule,
                                               const transformer::ModelConfig& model, int replicas,
                                               int expert_ranks, executor::Crew& crew,
                                               transformer::RankMaker* maker) {
  auto made = std::make_unique<Trained>(std::move(schedule), crew);
  made->training.model = model;
  made->training.replicas = replicas;
  made->training.expert_ranks = expert_ranks;
  made->training.maker = maker;
  made->training.stages = made->schedule.stages;
  made->training.microbatches = made->schedule.microbatches;
  auto works = transformer::MakeRanks(made->training, made->schedule, crew);
  if (!works) return Fail(works.error());
  made->works = *std::move(works);
  return made;
}

Status Trained::Step() {
  // Processes that are through with what came before would do this beside those that are not.
  if (Status met = crew.Meet(); !met) return met;
  // As calibrations do.
  executor::CoolCaches(executor::Processors());
  const auto own = UseOfAll(crew);
  if (!own) return Fail(own.error());
  const Interference interference(own->seconds);
  auto run = crew.RunStep(schedule, works);
  if (!run) return Fail(schedule.name + ": " + run.error().message);
  const auto now = UseOfAll(crew);
  if (!now) return Fail(now.error());
  others.push_back(interference.Share(now->seconds));
  const auto loss = transformer::TakeLoss(training, works, crew);
  if (!loss) return Fail(loss.error());
  losses.push_back(*loss);
  seconds.push_back(run->timeline.end.seconds());
  bubbles.push_back(crew.leads() ? timeline::FindBubbles(run->timeline).makespan_rate : 0);
  if (keeps_timelines) timelines.push_back(std::move(run->timeline));
  return {};
}

std::vector<size_t> Trained::Quiet(const std::vector<size_t>& rounds) const {
  std::vector<size_t> quiet;
  for (const size_t round : rounds) {
    if (others[first_ + round] <= reports::kUndisturbed) quiet.push_back(first_ + round);
  }
  return quiet;
}

std::vector<size_t> Trained::Counted(const std::vector<size_t>& rounds) const {
  std::vector<size_t> steps = Quiet(rounds);
  if (!steps.empty()) return steps;
  for (const size_t round : rounds) steps.push_back(first_ + round);
  return steps;
}

bool Trained::Known(const std::vector<size_t>& rounds, int repetitions, double error) const {
  std::vector<double> values;
  for (const size_t step : Quiet(rounds)) values.push_back(seconds[step]);
  return std::ssize(values) >= repetitions && MedianError(values) <= error;
}

}  // namespace pipescope::cli
