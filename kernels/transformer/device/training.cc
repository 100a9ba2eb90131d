// The ranks of a run, of rank.h.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "kernels/executor/post.h"
#include "kernels/transformer/device/apart.h"
#include "kernels/transformer/device/rank.h"
#include "kernels/transformer/device/rows_apart.h"
#include "kernels/transformer/device/together.h"
#include "kernels/transformer/parameter.h"

namespace pipescope::transformer::device {
namespace {

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

// The ranks that are here, and where they meet.
class Making {
 public:
  // `links`: between processes; null where ranks are threads of one.
  Making(Training& training, const schedules::Schedule& schedule, executor::Crew& crew,
         Links* links)
      : t_(training),
        schedule_(schedule),
        crew_(crew),
        links_(links),
        groups_(ExpertGroups(training, schedule.ranks)) {
    if (training.alone) made_up_.emplace(training);
  }

  void Add(int r, RankDevice device) {
    const auto& group = groups_[static_cast<size_t>(r)];
    const auto place = static_cast<int>(std::find(group.begin(), group.end(), r) - group.begin());
    const int each = t_.model.expert_groups / static_cast<int>(group.size());
    if (meeting_ == nullptr) meeting_ = MakeMeeting(*device.memory);
    auto carrier = MakeCarrier(group, place, *device.memory);
    auto rank = std::make_unique<Rank>(t_, meeting_, std::move(device),
                                       StagesOf(schedule_.actions[static_cast<size_t>(r)]),
                                       ExpertShare{place * each, each}, std::move(carrier));
    if (made_up_) made_up_->GiveTo(*rank);
    ranks_.push_back(std::move(rank));
  }

  Result<executor::Works> Finish() {
    for (const auto& rank : ranks_) {
      const Home& home = static_cast<Rank&>(*rank).home();
      if (auto ok = home.compute->Finish(); !ok) return Fail(ok.error());
    }
    if (apart_ == nullptr) return std::move(ranks_);
    if (auto ok = apart_->Connect(crew_); !ok) return Fail(ok.error());
    const auto& group = groups_[static_cast<size_t>(crew_.post()->rank())];
    const auto ok = links_->Connect(LinksAmong(group, LinkLane::kCommunication));
    if (!ok) return Fail(ok.error());
    return std::move(ranks_);
  }

 private:
  // A process has one rank: the memory is that rank's.
  std::shared_ptr<Meeting> MakeMeeting(Memory& memory) {
    if (links_ == nullptr) return std::make_shared<Together>();
    apart_ = std::make_shared<Apart>(t_, schedule_, crew_, *links_, memory);
    return apart_;
  }

  std::unique_ptr<Carrier> MakeCarrier(const std::vector<int>& group, int place, Memory& memory) {
    if (t_.model.expert_groups == 1) return nullptr;
    auto& rows = rows_[group.front()];
    if (rows == nullptr && links_ != nullptr && group.size() > 1) {
      rows = std::make_shared<RowsApart>(t_.model, *crew_.post(), *links_, group, memory);
    }
    if (rows == nullptr) rows = std::make_shared<RowsTogether>();
    return std::make_unique<Carrier>(t_.model, rows, place, static_cast<int>(group.size()));
  }

  Training& t_;
  const schedules::Schedule& schedule_;
  executor::Crew& crew_;
  Links* const links_;
  const std::vector<std::vector<int>> groups_;
  std::optional<MadeUp> made_up_;
  std::shared_ptr<Apart> apart_;
  std::shared_ptr<Meeting> meeting_;
  std::map<int, std::shared_ptr<RowMeeting>> rows_;  // by a group's first rank
  executor::Works ranks_;
};

}  // namespace

Result<executor::Works> DeviceRanks::Make(Training& training, const schedules::Schedule& schedule,
                                          executor::Crew& crew) {
  if (Status ok = Check(training.model); !ok) return Fail(ok.error());
  if (Status ok = CheckCrew(crew); !ok) return Fail(ok.error());
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

Status DeviceRanks::CheckCrew(executor::Crew& crew) const {
  if (crew.post() == nullptr) return {};
  if (open_link_ != nullptr) return {};
  return Fail("ranks on this device are threads of one process");
}

Result<executor::Works> DeviceRanks::MakeHere(Training& training,
                                              const schedules::Schedule& schedule,
                                              executor::Crew& crew) {
  Making making(training, schedule, crew, crew.post() == nullptr ? nullptr : &LinksOf(crew));
  for (const int r : crew.RanksOf(schedule.ranks)) {
    auto device = open_(r);
    if (!device) return Fail(device.error());
    making.Add(r, std::move(*device));
  }
  return making.Finish();
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
