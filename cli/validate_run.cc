#include "cli/validate_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <map>
#include <memory>

#include "cli/interference.h"
#include "cli/validate_machine.h"
#include "cli/validate_predict.h"
#include "cli/validate_rounds.h"
#include "cli/validate_trained.h"
#include "kernels/executor/packed.h"
#include "kernels/executor/threads.h"
#include "kernels/transformer/calibrate.h"
#include "sim/base/quantile.h"
#include "sim/timeline/bubbles.h"

namespace pipescope::cli {
namespace {

using transformer::Calibration;

// How well the median of a schedule's steps is to be known, and what they are predicted from, where
// time lasts.
constexpr double kKnown = 0.005;

std::vector<double> At(const std::vector<double>& values, const std::vector<size_t>& places) {
  std::vector<double> picked;
  for (const size_t place : places) picked.push_back(values[place]);
  return picked;
}

// Half the distance between the quartiles, over the median.
double NoiseOf(const std::vector<double>& seconds) {
  return (Quantile(seconds, 0.75) - Quantile(seconds, 0.25)) / 2 / Quantile(seconds, 0.5);
}

class Group {
 public:
  Group(const ValidateGroup& group, const transformer::ModelConfig& model, executor::Crew& crew)
      : group_(group), model_(model), crew_(crew), alone_({.patience = group.hang_after}) {}

  // What all schedules are held against, and what they run on.
  Status Begin(const ThreadHops& hops) {
    if (crew_.leads()) {
      const auto one_rank = transformer::OneRank(group_.microbatches * group_.replicas);
      auto made = Trained::Make(one_rank, model_, 1, 1, alone_, group_.maker);
      if (!made) return Fail(made.error());
      one_rank_ = *std::move(made);
    }
    const auto machine = MachineOf(group_, model_, hops, crew_);
    if (!machine) return Fail(machine.error());
    machine_ = *machine;
    return {};
  }

  Status Add(const std::string& name) {
    auto schedule = ScheduleOf(group_, model_, name);
    if (!schedule) return Fail(schedule.error());
    *schedule = transformer::Replicate(*schedule, group_.replicas);
    auto& calibration = calibrations_[transformer::LoadsOf(*schedule)];
    if (calibration == nullptr) {
      auto made = Calibration::Make(model_, *schedule, group_.replicas, group_.expert_ranks, crew_,
                                    group_.maker);
      if (!made) return Fail(made.error());
      calibration = *std::move(made);
    }
    calibration->Serve(*schedule);
    names_.push_back(name);
    auto trained = Trained::Make(*std::move(schedule), model_, group_.replicas, group_.expert_ranks,
                                 crew_, group_.maker);
    if (!trained) return Fail(trained.error());
    trained_.push_back(*std::move(trained));
    trained_.back()->keeps_timelines = group_.timelines;
    return {};
  }

  // As often as it takes, as told by the process that leads.
  Status RepeatEnough() {
    using Next = ValidateRounds::Next;
    ValidateRounds rounds(group_.repetitions, group_.patience);
    const auto start = std::chrono::steady_clock::now();
    while (true) {
      if (Status ok = Repeat(); !ok) return ok;
      Next next = Next::kEnd;
      if (crew_.leads()) {
        const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
        next = rounds.After(new_pages_, elapsed.count(), Rounds().size(), Known());
      }
      executor::Packer packer;
      packer.Put(next);
      const auto said = crew_.Share(packer.Take());
      if (!said) return Fail(said.error());
      next = executor::Unpacker(*said).Get<Next>();
      if (next == Next::kEnd) return {};
      if (next == Next::kAgain) continue;
      for (auto& [loads, calibration] : calibrations_) calibration->Warmed();
      for (auto& trained : trained_) trained->Warmed();
    }
  }

  Result<std::vector<reports::ValidateCase>> Cases() const {
    std::vector<reports::ValidateCase> cases;
    const auto rounds = Rounds();
    for (size_t i = 0; i < trained_.size(); ++i) {
      const Trained& trained = *trained_[i];
      const auto& calibration = *calibrations_.at(transformer::LoadsOf(trained.schedule));
      const auto costs = calibration.Costs(trained.schedule);
      if (!costs) return Fail(costs.error());
      if (crew_.leads()) cases.push_back(CaseOf(names_[i], trained, *costs, rounds));
    }
    return cases;
  }

 private:
  Status Repeat() {
    const auto own = UseOfAll(crew_);
    if (!own) return Fail(own.error());
    const Interference round(own->seconds);
    if (crew_.leads()) {
      if (Status ok = one_rank_->Step(); !ok) return ok;
    }
    for (auto& [loads, calibration] : calibrations_) {
      if (Status ok = calibration->Measure(); !ok) return ok;
    }
    for (auto& trained : trained_) {
      if (Status ok = trained->Step(); !ok) return ok;
    }
    const auto now = UseOfAll(crew_);
    if (!now) return Fail(now.error());
    if (crew_.leads()) {
      new_pages_ = (now->pages - own->pages) / (now->seconds - own->seconds);
    }
    // A tick is too long for short steps: they count as what the whole round was.
    constexpr double kShort = 0.05;
    const double others = round.Share(now->seconds);
    for (auto& trained : trained_) {
      if (trained->seconds.back() < kShort) trained->others.back() = others;
    }
    return {};
  }

  // In which the machine ran at one speed, of those that count.
  std::vector<size_t> Rounds() const {
    std::vector<double> sums;
    for (const auto& [loads, calibration] : calibrations_) {
      const auto seconds = calibration->Seconds();
      sums.resize(seconds.size());
      std::transform(seconds.begin(), seconds.end(), sums.begin(), sums.begin(), std::plus<>());
    }
    return OfOneSpeed(sums);
  }

  bool Known() const {
    const auto rounds = Rounds();
    return std::all_of(
               trained_.begin(), trained_.end(),
               [&](const auto& t) { return t->Known(rounds, group_.repetitions, kKnown); }) &&
           std::all_of(calibrations_.begin(), calibrations_.end(), [&](const auto& of_loads) {
             return MedianError(At(of_loads.second->Seconds(), rounds)) <= kKnown;
           });
  }

  // The median of the steps that calls of the calibration in these rounds make, and how far they
  // are apart.
  std::pair<timeline::Timeline, double> TypicalRun(const schedules::Schedule& schedule,
                                                   const std::vector<transformer::RunCosts>& costs,
                                                   const std::vector<size_t>& rounds) const {
    std::vector<std::pair<Duration, size_t>> calls;
    std::vector<double> seconds;
    for (const size_t i : rounds) {
      calls.emplace_back(PredictRun(schedule, costs[i], machine_).end, i);
      seconds.push_back(calls.back().first.seconds());
    }
    const size_t typical = Median(std::move(calls)).second;
    return {PredictRun(schedule, costs[typical], machine_), NoiseOf(seconds)};
  }

  reports::ValidateCase CaseOf(const std::string& name, const Trained& trained,
                               const std::vector<transformer::RunCosts>& costs,
                               const std::vector<size_t>& rounds) const {
    const auto [predicted, predicted_noise] = TypicalRun(trained.schedule, costs, rounds);
    const auto counted = trained.Counted(rounds);
    const auto seconds = At(trained.seconds, counted);
    reports::ValidateCase c;
    c.schedule = name;
    c.model = model_.name;
    c.ranks = group_.ranks;
    c.microbatches = group_.microbatches;
    c.replicas = group_.replicas;
    c.expert_ranks = group_.expert_ranks;
    c.predicted = predicted.end;
    c.measured = Seconds(Quantile(seconds, 0.5));
    c.noise = NoiseOf(seconds);
    c.predicted_noise = predicted_noise;
    c.predicted_bubble = timeline::FindBubbles(predicted).makespan_rate;
    c.measured_bubble = Quantile(At(trained.bubbles, counted), 0.5);
    c.hop = machine_.hop + machine_.wake;
    c.send = machine_.send;
    c.receive = machine_.receive;
    c.others = Quantile(At(trained.others, counted), 0.5);
    c.steps = static_cast<int>(counted.size());
    c.other_speed = static_cast<int>(costs.size() - rounds.size());
    c.first_loss = trained.losses.front();
    c.last_loss = trained.losses.back();
    c.equals_one_rank = trained.losses == one_rank_->losses;
    if (!group_.timelines) return c;
    const auto off = [&](size_t i) { return std::fabs(trained.seconds[i] - c.measured.seconds()); };
    const auto typical = *std::min_element(counted.begin(), counted.end(),
                                           [&](size_t a, size_t b) { return off(a) < off(b); });
    c.predicted_timeline = predicted;
    c.measured_timeline = trained.timelines[typical];
    return c;
  }

  const ValidateGroup& group_;
  const transformer::ModelConfig model_;
  Machine machine_;
  executor::Crew& crew_;
  executor::ThreadCrew alone_;  // runs one rank
  std::unique_ptr<Trained> one_rank_;
  std::map<std::vector<transformer::RankLoad>, std::unique_ptr<Calibration>> calibrations_;
  double new_pages_ = 0;  // of the last round, for each second of processor time
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<Trained>> trained_;
};

}  // namespace

Result<std::vector<reports::ValidateCase>> RunGroup(const ValidateGroup& group,
                                                    const std::vector<std::string>& schedules,
                                                    const ThreadHops& hops, executor::Crew& crew) {
  const auto model = ModelOf(group);
  if (!model) return Fail(model.error());
  Group run(group, *model, crew);
  if (Status ok = run.Begin(hops); !ok) return Fail(ok.error());
  for (const std::string& name : schedules) {
    if (Status ok = run.Add(name); !ok) return Fail(ok.error());
  }
  if (Status ok = run.RepeatEnough(); !ok) return Fail(ok.error());
  return run.Cases();
}

}  // namespace pipescope::cli
