#include "kernels/transformer/calibrate.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <random>

#include "kernels/executor/processors.h"
#include "kernels/executor/spin.h"
#include "kernels/transformer/packed_costs.h"
#include "kernels/transformer/play_costs.h"
#include "kernels/turns.h"
#include "sim/base/quantile.h"

namespace pipescope::transformer {
namespace {

std::vector<float> Draw(size_t count, double scale, uint32_t seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0, static_cast<float>(scale));
  std::vector<float> values(count);
  for (float& value : values) value = normal(engine);
  return values;
}

// Where threads wait for each other, again and again, by turns or not; the last one to come has
// something to do.
class Meeting {
 public:
  Meeting(size_t threads, std::function<void()> last) : threads_(threads), last_(std::move(last)) {}

  void Come() {
    std::unique_lock lock(mutex_);
    if (++here_ < threads_) {
      const auto over = [this, meetings = meetings_] { return meetings_ != meetings; };
      if (!kernels::WaitInTurn(lock, over)) all_.wait(lock, over);
      return;
    }
    last_();
    here_ = 0;
    ++meetings_;
    lock.unlock();
    all_.notify_all();
    kernels::TellTurns();
  }

 private:
  const size_t threads_;
  const std::function<void()> last_;
  std::mutex mutex_;
  std::condition_variable all_;
  size_t here_ = 0;
  int meetings_ = 0;  // that are over
};

double SecondsOf(const PlayTimes& times) {
  double sum = 0;
  for (const ActionTimes* order : {&times.whole, &times.split}) {
    for (const auto& [key, actions] : *order) {
      for (const auto& steps : actions) {
        for (const StepTimes& step : steps) sum += step.run + step.before;
      }
    }
  }
  for (const StepTimes& step : times.end) sum += step.run;
  return sum;
}

Status FirstFailure(const std::vector<RankPlay>& plays) {
  for (const RankPlay& play : plays) {
    if (!play.status()) return play.status();
  }
  return {};
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
  made->Serve(schedule);
  made->handed_ = {schedule.stages, Draw(size, 1, 1), Draw(size, training.LossWeight(), 2)};
  return made;
}

RankPlay Calibration::PlayOf(size_t place) {
  const int rank = here_[place];
  return RankPlay(rank, loads_[static_cast<size_t>(rank)], handed_, *ranks_[place], crew_);
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

void Calibration::Serve(const schedules::Schedule& schedule) {
  for (const auto& actions : schedule.actions) {
    whole_ |= !Splits(actions);
    for (const schedules::Action& action : actions) {
      whole_ |= action.kind == schedules::ActionKind::kBackward ||
                action.kind == schedules::ActionKind::kOverlapped;
    }
    split_ |= Splits(actions);
  }
}

// Whichever order comes second finds the heap as the first one left it: they take turns.
std::vector<bool> Calibration::Orders() const {
  if (!whole_ || !split_) return {split_};
  const bool split_first = beside_.size() % 2 == 1;
  return {split_first, !split_first};
}

Status Calibration::MeasureBeside(std::vector<PlayTimes>& times) {
  std::vector<RankPlay> plays;
  for (size_t place = 0; place < ranks_.size(); ++place) plays.push_back(PlayOf(place));
  for (const bool split : Orders()) {
    if (Status ok = PlayBeside(plays, split); !ok) return ok;
  }
  if (Status ok = EndStep(plays); !ok) return ok;
  for (const RankPlay& play : plays) times.push_back(play.times());
  return {};
}

void Calibration::OnRanks(const std::function<void(size_t place)>& run) const {
  crew_.OnRanks(ranks_, static_cast<int>(loads_.size()), run);
}

Status Calibration::PlayBeside(std::vector<RankPlay>& plays, bool split) {
  if (Status met = crew_.Meet(); !met) return met;
  executor::CoolCaches(executor::Processors());
  if (Status met = crew_.Meet(); !met) return met;
  const int count = static_cast<int>(plays.size());
  std::atomic<int> through = 0;
  OnRanks([&](size_t place) {
    RankPlay& play = plays[place];
    play.Play(split);
    CancelIfFailed(play);
    // Who is through keeps its processor busy for those that are not; but for those whose
    // exchanges need partners.
    if (training_.expert_ranks > 1) return;
    if (++through == count) crew_.Through();
    while (play.status() && (through < count || !crew_.AllThrough())) play.PlayOn(split);
  });
  return FirstFailure(plays);
}

// Others may wait for what it doesn't give.
void Calibration::CancelIfFailed(const RankPlay& play) const {
  if (play.status()) return;
  for (const auto& rank : ranks_) rank->Cancel();
}

// Gradients are out on all ranks, those of all processes, before they come in on one.
Status Calibration::EndStep(std::vector<RankPlay>& plays) {
  Status met;
  Meeting all(plays.size(), [&] {
    if (met) met = crew_.Meet();
  });
  OnRanks([&](size_t place) {
    RankPlay& play = plays[place];
    play.StepEnd([&] {
      CancelIfFailed(play);
      all.Come();
    });
    CancelIfFailed(play);
  });
  if (Status ok = FirstFailure(plays); !ok) return ok;
  return met;
}

// Ranks in turn; weight gradients go into the sums of a step that never ends.
Status Calibration::MeasureAlone(std::vector<PlayTimes>& times) {
  times.resize(here_.size());
  for (size_t rank = 0; rank < loads_.size(); ++rank) {
    if (Status met = crew_.Meet(); !met) return met;
    const auto found = std::find(here_.begin(), here_.end(), static_cast<int>(rank));
    if (found == here_.end()) continue;
    const auto place = static_cast<size_t>(found - here_.begin());
    RankPlay play = PlayOf(place);
    for (const bool split : Orders()) PlayAlone(play, place, split);
    if (!play.status()) return play.status();
    times[place] = play.times();
  }
  return crew_.Meet();
}

void Calibration::PlayAlone(RankPlay& play, size_t place, bool split) const {
  executor::CoolCaches(executor::Processors());
  std::atomic<bool> ended = false;
  OnRanks([&](size_t other) {
    if (other == place) {
      play.Play(split);
      ended = true;
      ended.notify_all();
    } else {
      executor::WaitAwake([&] { return ended.load(); });
      ended.wait(false);
    }
  });
}

std::vector<double> Calibration::Seconds() const {
  std::vector<double> sums;
  for (size_t call = first_; call < beside_.size(); ++call) {
    double& sum = sums.emplace_back(0);
    for (const PlayTimes& times : beside_[call]) sum += SecondsOf(times);
  }
  return sums;
}

AloneShares Calibration::SharesOf(size_t place, ActionTimes PlayTimes::*order) const {
  std::vector<const ActionTimes*> beside, alone;
  for (size_t call = first_; call < beside_.size(); ++call) {
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
  for (size_t call = first_; call < beside_.size(); ++call) {
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
