// One schedule that trains a model, step after step, and what its steps were like.
#pragma once

#include <memory>
#include <vector>

#include "cli/interference.h"
#include "kernels/executor/crew.h"
#include "kernels/transformer/rank.h"
#include "schedules/schedule.h"
#include "sim/base/result.h"
#include "sim/timeline/timeline.h"

namespace pipescope::cli {

// What all processes of the crew on the leader's machine used so far, where it leads.
Result<Use> UseOfAll(executor::Crew& crew);

struct Trained {
  schedules::Schedule schedule;
  transformer::Training training;
  executor::Crew& crew;
  executor::Works works;
  // Of each step, where the crew leads; elsewhere as many values that say nothing.
  std::vector<double> losses, seconds, bubbles, others;
  bool keeps_timelines = false;
  std::vector<timeline::Timeline> timelines;

  // `crew` and `maker` outlive it.
  Trained(schedules::Schedule of, executor::Crew& by) : schedule(std::move(of)), crew(by) {}
  static Result<std::unique_ptr<Trained>> Make(schedules::Schedule schedule,
                                               const transformer::ModelConfig& model, int replicas,
                                               int expert_ranks, executor::Crew& crew,
                                               transformer::RankMaker* maker = nullptr);
  Status Step();
  // All steps so far warmed up.
  void Warmed() { first_ = seconds.size(); }
  // Steps that count: those of the given rounds, of all after those that warmed up, and where there
  // are others without those that were disturbed.
  std::vector<size_t> Counted(const std::vector<size_t>& rounds) const;
  // Whether that many count and were not disturbed, and their median is known as well as that
  // (sim/base/quantile.h).
  bool Known(const std::vector<size_t>& rounds, int repetitions, double error) const;

 private:
  std::vector<size_t> Quiet(const std::vector<size_t>& rounds) const;

  size_t first_ = 0;  // that may count
};

}  // namespace pipescope::cli
