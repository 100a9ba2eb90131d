// A step's end, and the ranks of a run, of rank.h.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "kernels/transformer/device/rank.h"
#include "kernels/transformer/parameter.h"

namespace pipescope::transformer::device {

using executor::Steps;
using timeline::Lane;

void Rank::GiveSums() {
  for (const auto& [p, place] : places_) {
    meeting_->sums.Give({p->name(), step_}, place, meeting_->holders.at(p->name()), p->TakeSum());
  }
}

Status Rank::AddSums() {
  home_.compute->Zero(inexact_->as<void>(), sizeof(int32_t));
  for (const auto& [p, place] : places_) {
    const auto sums = meeting_->sums.Take({p->name(), step_});
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
void MakeUp(const Training& training, Home& home, Handover& handover) {
  const Tape tape(home, *home.compute);
  const int64_t count = training.model.tokens * training.model.hidden;
  const auto draw = [&](const std::string& name, float scale) {
    std::vector<kernels::device::Bf16> values;
    for (const float value : DrawWeights(name, count, 1)) {
      kernels::device::Store(values.emplace_back(), scale * value);
    }
    return Travelling{tape.Upload(values), nullptr, training.model.tokens, true};
  };
  handover.TakeAlways(draw("an activation", 1),
                      draw("a gradient", static_cast<float>(training.LossWeight())));
}

}  // namespace

Result<executor::Works> DeviceRanks::Make(Training& training, const schedules::Schedule& schedule) {
  if (Status ok = Check(training.model); !ok) return Fail(ok.error());
  const auto groups = ExpertGroups(training, schedule.ranks);
  const auto meeting = std::make_shared<Meeting>();
  std::map<int, std::shared_ptr<RowMeeting>> meetings;  // by first rank
  executor::Works ranks;
  for (int r = 0; r < schedule.ranks; ++r) {
    const auto& group = groups[static_cast<size_t>(r)];
    const auto place = static_cast<int>(std::find(group.begin(), group.end(), r) - group.begin());
    const int each = training.model.expert_groups / static_cast<int>(group.size());
    auto device = open_(r);
    if (!device) return Fail(device.error());
    auto rank = std::make_unique<Rank>(
        training, meeting, std::move(*device), StagesOf(schedule.actions[static_cast<size_t>(r)]),
        ExpertShare{place * each, each}, MakeCarrier(training.model, group, r, meetings));
    if (training.alone && r == 0) MakeUp(training, rank->home(), meeting->handover);
    ranks.push_back(std::move(rank));
  }
  for (const auto& rank : ranks) {
    const Home& home = static_cast<Rank&>(*rank).home();
    if (auto ok = home.compute->Finish(); !ok) return Fail(ok.error());
  }
  return ranks;
}

Status DeviceRanks::Check(const ModelConfig& model) const {
  if (!model.bf16) return Fail("model " + model.name + ": on a device it trains in BF16 alone");
  if (model.fp8) return Fail("model " + model.name + ": FP8 is not there on a device yet");
  return check_ == nullptr ? Status() : check_(model);
}

Result<double> DeviceRanks::MeasureHop() {
  constexpr int kHops = 50;
  auto one = open_(0), other = open_(0);
  for (const auto* device : {&one, &other}) {
    if (!*device) return Fail(device->error());
  }
  std::vector<double> hops;
  for (int i = 0; i < kHops; ++i) {
    other->compute->Finish();  // it has nothing else to do
    const EventPtr given = one->compute->Record();
    other->compute->Wait(given);
    const EventPtr taken = other->compute->Record();
    if (auto ok = other->compute->Finish(); !ok) return Fail(ok.error());
    const auto from = given->Seconds(), to = taken->Seconds();
    if (!from || !to) return Fail((from ? to : from).error());
    hops.push_back(*to - *from);
  }
  std::sort(hops.begin(), hops.end());
  return std::max(0.0, hops[kHops / 10]);
}

}  // namespace pipescope::transformer::device
