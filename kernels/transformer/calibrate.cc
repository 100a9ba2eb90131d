#include "kernels/transformer/calibrate.h"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <random>
#include <thread>
#include <utility>

#include "kernels/executor/processors.h"
#include "kernels/executor/spin.h"
#include "kernels/transformer/packed_costs.h"
#include "kernels/transformer/play_costs.h"

namespace pipescope::transformer {
namespace {

std::vector<float> Draw(size_t count, double scale, uint32_t seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0, static_cast<float>(scale));
  std::vector<float> values(count);
  for (float& value : values) value = normal(engine);
  return values;
}

}  // namespace

Result<std::unique_ptr<Calibration>> Calibration::Make(const ModelConfig& model,
                                                       const schedules::Schedule& schedule,
                                                       int replicas, int expert_ranks,
                                                       executor::Crew& crew, RankMaker* maker) {
  std::unique_ptr<Calibration> made(new Calibration(crew));
  made->loads_ = LoadsOf(schedule);
  made->here_ = crew.RanksOf(schedule.ranks);
  Training& training = made->training_;
  training.model = model;
  training.stages = schedule.stages;
  training.microbatches = schedule.microbatches;
  training.replicas = replicas;
  training.expert_ranks = expert_ranks;
  training.maker = maker;
  training.alone = true;
  auto ranks = MakeRanks(training, schedule, crew);
  if (!ranks) return Fail(ranks.error());
  made->ranks_ = *std::move(ranks);
  const size_t size = static_cast<size_t>(model.tokens * model.hidden);
  made->handed_ = {schedule.stages, Draw(size, 1, 1), Draw(size, training.LossWeight(), 2)};
  return made;
}

RankPlay Calibration::PlayOf(size_t place) {
  const int rank = here_[place];
  return RankPlay(rank, loads_[static_cast<size_t>(rank)], handed_, *ranks_[place], crew_);
}

void Calibration::BindThread(const std::vector<int>& processors, size_t place) const {
  if (crew_.post() != nullptr) return;
  executor::Bind(
      executor::ProcessorsOf(processors, here_[place], static_cast<int>(loads_.size())));
}

Status Calibration::Measure() {
  std::vector<PlayTimes> beside, alone;
  if (Status ok = MeasureBeside(beside); !ok) return ok;
  const auto ranks = static_cast<int>(loads_.size());
  if (ranks > 1 && ranks <= crew_.processors() && training_.expert_ranks == 1) {
    if (Status ok = MeasureAlone(alone); !ok) return ok;
    alone_.push_back(std::move(alone));
  }
  beside_.push_back(std::move(beside));
  return {};
}

Status Calibration::MeasureBeside(std::vector<PlayTimes>& times) {
  if (Status met = crew_.Meet(); !met) return met;
  std::vector<RankPlay> plays;
  for (size_t i = 0; i < ranks_.size(); ++i) plays.push_back(PlayOf(i));
  const int count = static_cast<int>(plays.size());
  Status met;  // all processes, before gradients come in
  std::barrier all(count, [this, &met, first = true]() mutable noexcept {
    if (std::exchange(first, false)) return;
    if (met) met = crew_.Meet();
  });
  std::atomic<int> through = 0;
  std::vector<std::thread> threads;
  const std::vector<int> processors = executor::Processors();
  for (size_t i = 0; i < plays.size(); ++i) {
    threads.emplace_back([&, i] {
      RankPlay& play = plays[i];
      BindThread(processors, i);
      play.Play(SplitFirst());
      if (++through == count) crew_.Through();
      // Who is through keeps its processor busy for those that are not; but for those whose
      // exchanges need partners.
      while (training_.expert_ranks == 1 && play.status() &&
             (through < count || !crew_.AllThrough())) {
        play.PlayOn();
      }
      if (!play.status()) {
        for (const auto& rank : ranks_) rank->Cancel();
      }
      all.arrive_and_wait();
      play.StepEnd([&] { all.arrive_and_wait(); });
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const RankPlay& play : plays) {
    if (!play.status()) return play.status();
    times.push_back(play.times());
  }
  return met;
}

// Ranks in turn; weight gradients go into the sums of a step that never ends.
Status Calibration::MeasureAlone(std::vector<PlayTimes>& times) {
  times.resize(here_.size());
  const std::vector<int> processors = executor::Processors();
  for (size_t rank = 0; rank < loads_.size(); ++rank) {
    if (Status met = crew_.Meet(); !met) return met;
    const auto found = std::find(here_.begin(), here_.end(), static_cast<int>(rank));
    if (found == here_.end()) continue;
    const auto place = static_cast<size_t>(found - here_.begin());
    RankPlay play = PlayOf(place);
    std::atomic<bool> ended = false;
    std::vector<std::thread> threads;
    for (size_t i = 0; i < here_.size(); ++i) {
      threads.emplace_back([&, i] {
        BindThread(processors, i);
        if (i == place) {
          play.Play(SplitFirst());
          ended = true;
          ended.notify_all();
        } else {
          executor::WaitAwake([&] { return ended.load(); });
          ended.wait(false);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    if (!play.status()) return play.status();
    times[place] = play.times();
  }
  return crew_.Meet();
}

AloneShares Calibration::SharesOf(size_t place, ActionTimes PlayTimes::*order) const {
  std::vector<const ActionTimes*> beside, alone;
  for (size_t call = FirstCall(); call < beside_.size(); ++call) {
    beside.push_back(&(beside_[call][place].*order));
    if (!alone_.empty()) alone.push_back(&(alone_[call][place].*order));
  }
  return AloneSharesOf(beside, alone);
}

Result<std::vector<RunCosts>> Calibration::Costs(const schedules::Schedule& schedule) const {
  std::vector<AloneShares> whole, split;
  for (size_t place = 0; place < here_.size(); ++place) {
    whole.push_back(SharesOf(place, &PlayTimes::whole));
    split.push_back(SharesOf(place, &PlayTimes::split));
  }
  const auto partners = Partners(training_, ranks_);
  std::vector<RunCosts> calls;
  for (size_t call = FirstCall(); call < beside_.size(); ++call) {
    RunCosts own;
    for (size_t place = 0; place < here_.size(); ++place) {
      const auto& actions = schedule.actions[static_cast<size_t>(here_[place])];
      const RankDraw draw{beside_[call][place], whole[place], split[place]};
      own.actions.push_back(CostsOf(actions, *ranks_[place], draw));
      own.step_ends.push_back(StepEndCosts(*ranks_[place], draw));
      own.partners.push_back(partners[place]);
    }
    const auto all = crew_.Gather(PackCosts(own));
    if (!all) return Fail(all.error());
    RunCosts& costs = calls.emplace_back();
    for (const std::string& bytes : *all) AddCosts(bytes, costs);
    costs.labels = ranks_.front()->labels();
    costs.groups = ExpertGroups(training_, schedule.ranks);
  }
  return calls;
}

}  // namespace pipescope::transformer
