#include "cli/validate_run.h"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <memory>

#include "cli/interference.h"
#include "cli/validate_predict.h"
#include "kernels/executor/threads.h"
#include "kernels/transformer/calibrate.h"
#include "schedules/registry.h"
#include "sim/timeline/bubbles.h"

namespace pipescope::cli {
namespace {

using transformer::Calibration;
using transformer::Training;

std::vector<double> At(const std::vector<double>& values, const std::vector<size_t>& places) {
  std::vector<double> picked;
  for (const size_t place : places) picked.push_back(values[place]);
  return picked;
}

double Quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1) + 0.5)];
}

// One schedule that trains, step after step.
struct Trained {
  schedules::Schedule schedule;
  Training training;
  std::vector<std::unique_ptr<executor::RankWork>> works;
  std::vector<double> losses, seconds, bubbles, others;  // [step]
  bool keeps_timelines = false;
  std::vector<timeline::Timeline> timelines;

  Trained(schedules::Schedule of, const transformer::ModelConfig& model, int replicas = 1,
          int expert_ranks = 1)
      : schedule(std::move(of)) {
    training.model = model;
    training.replicas = replicas;
    training.expert_ranks = expert_ranks;
    training.stages = schedule.stages;
    training.microbatches = schedule.microbatches;
    works = transformer::MakeRanks(training, schedule);
  }

  Status Step(int processors) {
    const Interference interference(processors);
    auto run = executor::RunOnThreads(schedule, works, {});
    if (!run) return Fail(schedule.name + ": " + run.error().message);
    others.push_back(interference.Share());
    losses.push_back(transformer::TakeLoss(training, works));
    seconds.push_back(run->timeline.end.seconds());
    bubbles.push_back(timeline::FindBubbles(run->timeline).makespan_rate);
    if (keeps_timelines) timelines.push_back(std::move(run->timeline));
    return {};
  }

  // Steps that count; the first one warms up.
  std::vector<size_t> Counted() const {
    std::vector<size_t> all, quiet;
    for (size_t i = 1; i < seconds.size(); ++i) {
      all.push_back(i);
      if (others[i] <= reports::kUndisturbed) quiet.push_back(i);
    }
    return quiet.empty() ? all : quiet;
  }

  int quiet() const {
    return static_cast<int>(std::count_if(others.begin() + 1, others.end(), [](double share) {
      return share <= reports::kUndisturbed;
    }));
  }
};

// What a step allocates stays with the process, as on a GPU: otherwise each step pays anew for the
// pages of its activations, and schedules that hold more of them pay more.
void KeepMemory() {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
}

class Group {
 public:
  Group(const ValidateGroup& group, const transformer::ModelConfig& model, const Machine& machine)
      : group_(group), model_(model), machine_(machine) {
    one_rank_ =
        std::make_unique<Trained>(transformer::OneRank(group.microbatches * group.replicas), model);
  }

  Status Add(const std::string& name) {
    auto schedule = schedules::Generate(name, {group_.ranks, group_.microbatches});
    if (!schedule) return Fail(schedule.error());
    if (Status ok = transformer::CheckRun(model_, *schedule); !ok) return ok;
    *schedule = transformer::Replicate(*schedule, group_.replicas);
    auto& calibration = calibrations_[transformer::LoadsOf(*schedule)];
    if (calibration == nullptr) {
      calibration =
          std::make_unique<Calibration>(model_, *schedule, group_.replicas, group_.expert_ranks);
    }
    names_.push_back(name);
    trained_.push_back(std::make_unique<Trained>(std::move(*schedule), model_, group_.replicas,
                                                 group_.expert_ranks));
    trained_.back()->keeps_timelines = group_.timelines;
    return {};
  }

  Status Repeat() {
    const Interference round(machine_.processors);
    if (Status ok = one_rank_->Step(machine_.processors); !ok) return ok;
    for (auto& [loads, calibration] : calibrations_) {
      if (Status ok = calibration->Measure(); !ok) return ok;
    }
    for (auto& trained : trained_) {
      if (Status ok = trained->Step(machine_.processors); !ok) return ok;
    }
    // A tick is too long for short steps: they count as what the whole round was.
    constexpr double kShort = 0.05;
    const double others = round.Share();
    for (auto& trained : trained_) {
      if (trained->seconds.back() < kShort) trained->others.back() = others;
    }
    return {};
  }

  bool Enough() const {
    return std::all_of(trained_.begin(), trained_.end(),
                       [&](const auto& t) { return t->quiet() >= group_.repetitions; });
  }

  std::vector<reports::ValidateCase> Cases() const {
    std::vector<reports::ValidateCase> cases;
    for (size_t i = 0; i < trained_.size(); ++i) cases.push_back(CaseOf(names_[i], *trained_[i]));
    return cases;
  }

 private:
  reports::ValidateCase CaseOf(const std::string& name, const Trained& trained) const {
    const auto& calibration = *calibrations_.at(transformer::LoadsOf(trained.schedule));
    const auto predicted =
        PredictRun(trained.schedule, calibration.Costs(trained.schedule), machine_);
    const auto counted = trained.Counted();
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
    c.noise = (Quantile(seconds, 0.75) - Quantile(seconds, 0.25)) / 2 / c.measured.seconds();
    c.predicted_bubble = timeline::FindBubbles(predicted).makespan_rate;
    c.measured_bubble = Quantile(At(trained.bubbles, counted), 0.5);
    c.others = Quantile(At(trained.others, counted), 0.5);
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
  const Machine machine_;
  std::unique_ptr<Trained> one_rank_;
  std::map<std::vector<transformer::RankLoad>, std::unique_ptr<Calibration>> calibrations_;
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<Trained>> trained_;
};

}  // namespace

Result<std::vector<reports::ValidateCase>> RunGroup(const ValidateGroup& group,
                                                    const std::vector<std::string>& schedules,
                                                    const Machine& machine) {
  auto model = transformer::FindModel(group.model);
  if (!model) return Fail(model.error());
  if (model->dense_layers == model->layers) model->dense_layers = group.layers;
  model->layers = group.layers;
  if (group.expert_ranks > 1) model->expert_groups = group.expert_ranks;
  model->bf16 = group.bf16;
  model->fp8 = group.fp8;
  KeepMemory();
  Group run(group, *model, machine);
  for (const std::string& name : schedules) {
    if (Status ok = run.Add(name); !ok) return Fail(ok.error());
  }
  const auto start = std::chrono::steady_clock::now();
  const std::chrono::duration<double> patience(group.patience);
  for (int i = 0; i <= group.repetitions ||
                  (!run.Enough() && std::chrono::steady_clock::now() - start < patience);
       ++i) {
    if (Status ok = run.Repeat(); !ok) return Fail(ok.error());
  }
  return run.Cases();
}

}  // namespace pipescope::cli
