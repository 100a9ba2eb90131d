// A step's end, and the ranks of a run, of rank.h.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "kernels/transformer/device/rank.h"
#include "schedules/token.h"

namespace pipescope::transformer::device {

using executor::Steps;
using timeline::Lane;

void Rank::GiveSums() {
  for (const auto& [p, place] : places_) {
    t_.sums.Give({p->name(), step_}, place, t_.holders.at(p->name()), p->TakeSum());
  }
}

Status Rank::AddSums() {
  home_.compute->Zero(inexact_->as<void>(), sizeof(int32_t));
  for (const auto& [p, place] : places_) {
    const auto sums = t_.sums.Take({p->name(), step_});
    if (!sums) return Fail(sums.error());
    p->SetGradient(*sums, inexact_->as<int32_t>());
  }
  return {};
}

Status Rank::Update() {
  for (const auto& [p, place] : places_) p->Update(t_.adamw, step_);
  ++step_;
  int32_t inexact = 0;
  home_.compute->Download(&inexact, inexact_->as<void>(), sizeof(inexact));
  for (Kernels* queue : {home_.compute, home_.communication}) {
    if (auto ok = queue->Finish(); !ok) return ok;
  }
  if (inexact == 0) return {};
  return Fail(fmt::format("a gradient is above {} or not a number", kLargestSum));
}

Steps Rank::StepEnd() {
  Steps steps;
  const auto add = [&](int32_t label, std::function<Status()> run) {
    steps.list.push_back({label, Lane::kCompute, {}, std::move(run), nullptr});
  };
  add(GradientsOutLabel(), [this]() -> Status {
    GiveSums();
    return {};
  });
  add(GradientsInLabel(), [this] { return AddSums(); });
  add(OptimizerLabel(), [this] { return Update(); });
  return OnQueues(std::move(steps));
}

namespace {

std::vector<int> StagesOf(const std::vector<schedules::Action>& actions) {
  std::set<int> stages;
  for (const schedules::Action& action : actions) {
    stages.insert(action.stage.value());
    stages.insert(schedules::BackwardStage(action).value());
  }
  return {stages.begin(), stages.end()};
}

}  // namespace

Result<std::vector<std::unique_ptr<executor::RankWork>>> MakeRanks(
    DeviceTraining& training, const schedules::Schedule& schedule, const OpenDevice& open) {
  const ModelConfig& m = training.model;
  const auto groups = ExpertGroups(training, schedule.ranks);
  std::map<int, std::shared_ptr<RowMeeting>> meetings;  // by first rank
  std::vector<std::unique_ptr<executor::RankWork>> ranks;
  for (int r = 0; r < schedule.ranks; ++r) {
    const auto& group = groups[static_cast<size_t>(r)];
    const auto places = static_cast<int>(group.size());
    const auto place = static_cast<int>(std::find(group.begin(), group.end(), r) - group.begin());
    std::unique_ptr<Carrier> carrier;
    if (m.expert_groups > 1) {
      auto& meeting = meetings[group.front()];
      if (meeting == nullptr) meeting = std::make_shared<RowMeeting>();
      carrier = std::make_unique<Carrier>(m, meeting, place, places);
    }
    auto device = open(r);
    if (!device) return Fail(device.error());
    const int each = m.expert_groups / places;
    ranks.push_back(std::make_unique<Rank>(training, std::move(*device),
                                           StagesOf(schedule.actions[static_cast<size_t>(r)]),
                                           ExpertShare{place * each, each}, std::move(carrier)));
  }
  return ranks;
}

double TakeLoss(const DeviceTraining& training,
                const std::vector<std::unique_ptr<executor::RankWork>>& works) {
  std::map<int, Stage::Losses> losses;
  for (const auto& work : works) {
    for (const auto& [s, stage] : dynamic_cast<const Rank&>(*work).stages()) {
      losses.merge(stage->TakeLosses());
    }
  }
  PIPESCOPE_CHECK(losses.size() == static_cast<size_t>(training.microbatches));
  double sum = 0;
  for (const auto& [mb, loss] : losses) sum += loss.head + training.model.mtp_weight * loss.mtp;
  return sum * training.LossWeight();
}

}  // namespace pipescope::transformer::device
