// A step's end, and the ranks of a run, of rank.h.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "kernels/executor/post.h"
#include "kernels/transformer/device/apart.h"
#include "kernels/transformer/device/rank.h"
#include "kernels/transformer/device/together.h"
#include "kernels/transformer/parameter.h"

namespace pipescope::transformer::device {

using executor::Steps;
using timeline::Lane;

Status Rank::GiveSums() {
  for (const auto& [p, place] : places_) {
    if (auto ok = meeting_->GiveSum(p->name(), step_, place, p->TakeSum()); !ok) return ok;
  }
  return {};
}

Status Rank::AddSums() {
  home_.compute->Zero(inexact_->as<void>(), sizeof(int32_t));
  for (const auto& [p, place] : places_) {
    const auto sums = meeting_->TakeSums(p->name(), step_);
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
  if (auto ok = meeting_->Finish(); !ok) return ok;
  if (inexact == 0) return {};
  return Fail(fmt::format("a gradient is above {} or not a number", kLargestSum));
}

Steps Rank::StepEnd() {
  Steps steps;
  const auto add = [&](int32_t label, std::function<Status()> run) {
    steps.list.push_back({label, Lane::kCompute, {}, std::move(run), nullptr});
  };
  add(GradientsOutLabel(), [this] { return GiveSums(); });
  add(GradientsInLabel(), [this] { return AddSums(); });
  add(OptimizerLabel(), [this] { return Update(); });
  return OnQueues(std::move(steps));
}

namespace {

std::unique_ptr<Carrier> MakeCarrier(const ModelConfig& m, const std::vector<int>& group, int rank,
                                     std::map<int, std::shared_ptr<RowMeeting>>& meetings) {
  if (m.expert_groups == 1) return nullptr;
  auto& meeting = meetings[group.front()];
  if (meeting == nullptr) meeting = std::make_shared<RowMeeting>();
  const auto place = std::find(group.begin(), group.end(), rank) - group.begin();
  return std::make_unique<Carrier>(m, meeting, static_cast<int>(place),
                                   static_cast<int>(group.size()));
}

// Hidden states and gradients of the size that a training's have, for ranks that play alone.
class MadeUp {
 public:
  explicit MadeUp(const Training& training)
      : count_(training.model.tokens * training.model.hidden),
        activation_(Draw("an activation", 1)),
        gradient_(Draw("a gradient", static_cast<float>(training.LossWeight()))) {}
  void GiveTo(Rank& rank) const { rank.PlayAlone(activation_, gradient_); }

 private:
  std::vector<Bf16> Draw(const std::string& name, float scale) const {
    std::vector<Bf16> values;
    for (const float value : DrawWeights(name, count_, 1)) {
      kernels::device::Store(values.emplace_back(), scale * value);
    }
    return values;
  }

  const int64_t count_;
  const std::vector<Bf16> activation_, gradient_;
};

}  // namespace

Result<executor::Works> DeviceRanks::Make(Training& training, const schedules::Schedule& schedule,
                                          executor::Crew& crew) {
  if (Status ok = Check(training.model); !ok) return Fail(ok.error());
  if (Status ok = CheckCrew(training, crew); !ok) return Fail(ok.error());
  auto works = [&]() -> Result<executor::Works> {
    try {
      return MakeHere(training, schedule, crew);
    } catch (const std::runtime_error& error) {  // memory
      return Fail(error.what());
    }
  }();
  if (works || crew.post() == nullptr) return works;
  // Others may have theirs, and would wait.
  crew.EndFor(fmt::format("rank {}: {}", crew.post()->rank(), works.error().message));
  return works;
}

Status DeviceRanks::CheckCrew(const Training& training, executor::Crew& crew) const {
  if (crew.post() == nullptr) return {};
  if (open_link_ == nullptr) return Fail("ranks on this device are threads of one process");
  if (training.expert_ranks == 1) return {};
  return Fail("ranks that are processes on devices: expected experts on one rank, --ep 1");
}

Result<executor::Works> DeviceRanks::MakeHere(Training& training,
                                              const schedules::Schedule& schedule,
                                              executor::Crew& crew) {
  const auto groups = ExpertGroups(training, schedule.ranks);
  std::map<int, std::shared_ptr<RowMeeting>> rows;  // by first rank
  std::shared_ptr<Apart> apart;
  std::shared_ptr<Meeting> meeting;
  std::optional<MadeUp> made_up;
  if (training.alone) made_up.emplace(training);
  executor::Works ranks;
  for (const int r : crew.RanksOf(schedule.ranks)) {
    const auto& group = groups[static_cast<size_t>(r)];
    const auto place = static_cast<int>(std::find(group.begin(), group.end(), r) - group.begin());
    const int each = training.model.expert_groups / static_cast<int>(group.size());
    auto device = open_(r);
    if (!device) return Fail(device.error());
    if (meeting == nullptr && crew.post() != nullptr) {  // a process has one rank
      apart = std::make_shared<Apart>(training, schedule, crew, LinksOf(crew), *device->memory);
      meeting = apart;
    }
    if (meeting == nullptr) meeting = std::make_shared<Together>();
    auto rank = std::make_unique<Rank>(
        training, meeting, std::move(*device), StagesOf(schedule.actions[static_cast<size_t>(r)]),
        ExpertShare{place * each, each}, MakeCarrier(training.model, group, r, rows));
    if (made_up) made_up->GiveTo(*rank);
    ranks.push_back(std::move(rank));
  }
  for (const auto& rank : ranks) {
    const Home& home = static_cast<Rank&>(*rank).home();
    if (auto ok = home.compute->Finish(); !ok) return Fail(ok.error());
  }
  if (apart != nullptr) {
    if (auto ok = apart->Connect(crew); !ok) return Fail(ok.error());
  }
  return ranks;
}

Links& DeviceRanks::LinksOf(executor::Crew& crew) {
  if (links_ == nullptr) links_ = std::make_unique<Links>(*crew.post(), open_link_);
  return *links_;
}

Status DeviceRanks::Check(const ModelConfig& model) const {
  if (!model.bf16) return Fail("model " + model.name + ": on a device it trains in BF16 alone");
  if (model.fp8) return Fail("model " + model.name + ": FP8 is not there on a device yet");
  return check_ == nullptr ? Status() : check_(model);
}

}  // namespace pipescope::transformer::device
