#include "kernels/standalone/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "kernels/executor/processors.h"
#include "kernels/executor/threads.h"
#include "kernels/timing.h"
#include "kernels/transformer/calibrate.h"
#include "kernels/transformer/device/emulation.h"
#include "kernels/transformer/device/gpu/gpu_device.h"
#include "kernels/transformer/device/gpu/gpu_model.h"
#include "kernels/transformer/device/rank.h"
#include "schedules/evaluate.h"
#include "schedules/registry.h"
#include "sim/base/quantile.h"
#include "sim/timeline/bubbles.h"

namespace pipescope::kernels {
namespace {

using schedules::ActionKind;
using transformer::Calibration;
using transformer::RunCosts;
using transformer::device::DeviceRanks;

double SecondsOf(const transformer::TimedAction& action) {
  double sum = 0;
  for (const auto& step : action.steps) sum += step.seconds + step.before;
  return sum;
}

// Of each stage, the mean over the ranks that hold it; what does not occur costs nothing.
schedules::Costs CostsOf(const schedules::Schedule& schedule, const RunCosts& costs, double hop) {
  const auto stages = static_cast<size_t>(schedule.stages);
  std::map<ActionKind, std::vector<std::pair<double, int>>> sums;
  for (size_t r = 0; r < schedule.actions.size(); ++r) {
    for (size_t i = 0; i < schedule.actions[r].size(); ++i) {
      const schedules::Action& action = schedule.actions[r][i];
      auto& of_kind = sums[action.kind];
      of_kind.resize(stages);
      auto& [sum, count] = of_kind[static_cast<size_t>(action.stage.value())];
      sum += SecondsOf(costs.actions[r][i]);
      ++count;
    }
  }
  const auto list = [&](ActionKind kind) {
    std::vector<double> means(stages);
    const auto at = sums.find(kind);
    for (size_t s = 0; at != sums.end() && s < stages; ++s) {
      const auto& [sum, count] = at->second[s];
      means[s] = count == 0 ? 0 : sum / count;
    }
    return means;
  };
  return {list(ActionKind::kForward),  list(ActionKind::kInputGrad),  list(ActionKind::kWeightGrad),
          list(ActionKind::kBackward), list(ActionKind::kOverlapped), hop};
}

struct Ran {
  std::string schedule;
  double predicted = 0, measured = 0, predicted_bubble = 0, measured_bubble = 0;
  bool equal = false;
};

// Steps of a schedule that trains. All losses count; times not of the first one, which warms up.
class Trained {
 public:
  // All outlive it.
  static Result<std::unique_ptr<Trained>> Make(const schedules::Schedule& schedule,
                                               const transformer::ModelConfig& model,
                                               DeviceRanks& ranks, executor::Crew& crew) {
    std::unique_ptr<Trained> made(new Trained(schedule, crew));
    made->training_.model = model;
    made->training_.stages = schedule.stages;
    made->training_.microbatches = schedule.microbatches;
    made->training_.maker = &ranks;
    auto works = transformer::MakeRanks(made->training_, schedule, crew);
    if (!works) return Fail(works.error());
    made->works_ = *std::move(works);
    return made;
  }

  Status Step() {
    executor::CoolCaches(executor::Processors());  // as calibrations do
    const auto run = crew_.RunStep(schedule_, works_);
    if (!run) return Fail(schedule_.name + ": " + run.error().message);
    const bool warms = losses_.empty();
    losses_.push_back(transformer::TakeLoss(training_, works_));
    if (warms) return {};
    seconds_.push_back(run->timeline.end.seconds());
    bubbles_.push_back(timeline::FindBubbles(run->timeline).makespan_rate);
    return {};
  }

  const std::vector<double>& losses() const { return losses_; }
  const std::vector<double>& seconds() const { return seconds_; }
  const std::vector<double>& bubbles() const { return bubbles_; }

 private:
  Trained(const schedules::Schedule& schedule, executor::Crew& crew)
      : schedule_(schedule), crew_(crew) {}

  const schedules::Schedule& schedule_;
  executor::Crew& crew_;
  transformer::Training training_;
  executor::Works works_;
  std::vector<double> losses_, seconds_, bubbles_;
};

class Runner {
 public:
  Runner(const PipelineRequest& request, const transformer::ModelConfig& model, DeviceRanks& ranks)
      : q_(request), model_(model), ranks_(ranks) {}

  Status Start() {
    const auto hop = ranks_.MeasureHop(model_, q_.ranks, crew_);
    if (!hop) return Fail(hop.error());
    hop_ = *hop;
    const auto schedule = transformer::OneRank(q_.microbatches);
    auto trained = Trained::Make(schedule, model_, ranks_, crew_);
    if (!trained) return Fail(trained.error());
    for (int step = 0; step <= q_.repetitions; ++step) {
      if (auto ok = (*trained)->Step(); !ok) return ok;
    }
    one_rank_ = (*trained)->losses();
    return {};
  }

  // Calibrations and steps in turn: a machine whose speed drifts does so for both.
  Result<Ran> Run(const std::string& name) {
    const auto schedule = schedules::Generate(name, {q_.ranks, q_.microbatches});
    if (!schedule) return Fail(schedule.error());
    if (auto ok = transformer::CheckRun(model_, *schedule); !ok) return Fail(ok.error());
    const auto calibration = Calibration::Make(model_, *schedule, 1, 1, crew_, &ranks_);
    if (!calibration) return Fail(calibration.error());
    auto trained = Trained::Make(*schedule, model_, ranks_, crew_);
    if (!trained) return Fail(trained.error());
    for (int i = 0; i <= q_.repetitions; ++i) {
      if (auto ok = (*calibration)->Measure(); !ok) return Fail(ok.error());
      if (auto ok = (*trained)->Step(); !ok) return Fail(ok.error());
      if (i == 0) (*calibration)->Warmed();
    }
    Ran ran{name};
    if (auto ok = Predict(*schedule, **calibration, ran); !ok) return Fail(ok.error());
    ran.measured = Median((*trained)->seconds());
    ran.measured_bubble = Median((*trained)->bubbles());
    ran.equal = (*trained)->losses() == one_rank_;
    return ran;
  }

 private:
  Status Predict(const schedules::Schedule& schedule, const Calibration& calibration,
                 Ran& ran) const {
    const auto costs = calibration.Costs(schedule);
    if (!costs) return Fail(costs.error());
    const auto prepared = schedules::Prepare(schedule);
    if (!prepared) return Fail(prepared.error());
    std::vector<double> seconds, bubbles;
    for (const RunCosts& of_call : *costs) {
      const auto timing = schedules::Evaluate(*prepared, CostsOf(schedule, of_call, hop_));
      double end = 0;
      for (const auto& of_rank : of_call.step_ends) end = std::max(end, SecondsOf(of_rank));
      seconds.push_back(timing.makespan + end);
      bubbles.push_back(timing.makespan_rate);
    }
    ran.predicted = Median(seconds);
    ran.predicted_bubble = Median(bubbles);
    return {};
  }

  const PipelineRequest& q_;
  const transformer::ModelConfig& model_;
  DeviceRanks& ranks_;
  executor::ThreadCrew crew_;
  double hop_ = 0;
  std::vector<double> one_rank_;  // losses
};

PipelineReport ReportOf(const PipelineRequest& q, const std::vector<Ran>& all) {
  PipelineReport report;
  report.well = true;
  report.text = fmt::format("{} on {} ranks, {} micro-batches\n", q.model, q.ranks, q.microbatches);
  report.text += "schedule            predicted ms  measured ms    error %  bubble %  measured %\n";
  for (const Ran& ran : all) {
    const double error = ran.predicted / ran.measured - 1;
    report.well = report.well && ran.equal;
    report.text += fmt::format(
        "{:<20}{:>12}{:>13}{:>11}{:>10}{:>12}  {}\n", ran.schedule,
        fmt::format("{:.3f}", 1e3 * ran.predicted), fmt::format("{:.3f}", 1e3 * ran.measured),
        fmt::format("{:.2f}", 100 * error), fmt::format("{:.2f}", 100 * ran.predicted_bubble),
        fmt::format("{:.2f}", 100 * ran.measured_bubble),
        ran.equal ? "equal to one rank" : "DIFFERS from one rank");
    report.json += fmt::format(
        "{}{{\"schedule\": \"{}\", \"ranks\": {}, \"microbatches\": {}, \"model\": \"{}\", "
        "\"predicted_s\": {}, \"measured_s\": {}, \"error\": {}, \"equals_one_rank\": {}}}",
        report.json.empty() ? "" : ", ", ran.schedule, q.ranks, q.microbatches, q.model,
        ran.predicted, ran.measured, error, ran.equal ? "true" : "false");
  }
  report.json = fmt::format("{{\"device\": \"{}\", \"cases\": [{}]}}\n",
                            q.cuda ? "cuda" : "emulated", report.json);
  return report;
}

Result<PipelineReport> RunOn(const PipelineRequest& q, const transformer::ModelConfig& model,
                             DeviceRanks& ranks) {
  Runner runner(q, model, ranks);
  if (auto ok = runner.Start(); !ok) return Fail(ok.error());
  std::vector<Ran> all;
  for (const std::string& name : q.schedules) {
    auto ran = runner.Run(name);
    if (!ran) return Fail(ran.error());
    all.push_back(*ran);
  }
  return ReportOf(q, all);
}

}  // namespace

Result<PipelineReport> RunPipeline(const PipelineRequest& q) {
  KeepMemory();
  auto model = transformer::FindModel(q.model);
  if (!model) return Fail(model.error());
  const bool dense = model->dense_layers == model->layers;
  model->layers = 2 * q.ranks;
  if (dense) model->dense_layers = model->layers;
  model->bf16 = true;
  if (!q.cuda) {
    transformer::device::Emulation emulation;
    DeviceRanks ranks([&](int rank) { return emulation.Open(rank); });
    return RunOn(q, *model, ranks);
  }
  auto gpu = transformer::device::GpuDevice::Make({q.ranks, 1, q.communication_sms});
  if (!gpu) return Fail(gpu.error());
  DeviceRanks ranks([&](int rank) { return (*gpu)->Open(rank); },
                    transformer::device::CheckGpuModel);
  return RunOn(q, *model, ranks);
}

}  // namespace pipescope::kernels
