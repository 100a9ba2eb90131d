#include "kernels/transformer/calibrate.h"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <random>
#include <thread>

#include "kernels/executor/processors.h"
#include "kernels/executor/spin.h"
#include "kernels/transformer/packed_costs.h"
#include "schedules/token.h"

namespace pipescope::transformer {
namespace {

using schedules::Action;
using schedules::ActionKind;

// Of calls; the first one, where there are others, warms up, as a run's first step does: it pays
// for pages that the process keeps.
double MedianOnceWarm(std::vector<double> values) {
  PIPESCOPE_CHECK(!values.empty());
  if (values.size() > 1) values.erase(values.begin());
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

TimedAction Timed(const executor::Steps& steps) {
  TimedAction timed{{},
                    steps.takes_activation,
                    steps.gives_activation,
                    steps.takes_gradient,
                    steps.gives_gradient};
  for (const executor::Step& step : steps.list) {
    timed.steps.push_back({step.label, step.lane, step.after});
  }
  return timed;
}

std::vector<float> Draw(size_t count, double scale, uint32_t seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0, static_cast<float>(scale));
  std::vector<float> values(count);
  for (float& value : values) value = normal(engine);
  return values;
}

}  // namespace

struct Calibration::Player {
  Calibration& of;
  size_t place;  // in here_
  ActionTimes times = {};
  std::vector<StepTimes> end = {};
  Status status = {};

  void Play() {
    const auto rank = static_cast<size_t>(of.here_[place]);
    for (const bool split : {false, true}) {
      if (status) Play(OrderOf(of.loads_[rank], split));
    }
  }

  // Its lanes are threads of its own, whose processor time starts anew: so does the work's.
  void Play(const std::vector<Action>& order) {
    TimedWork work(*of.ranks_[place]);
    status = executor::PlayAlone(of.here_[place], order, of.handed_, work);
    if (!status) of.crew_.EndFor(status.error().message);
    if (status) status = work.Settle();
    for (const auto& [key, steps] : work.times()) Add(times[key], steps);
  }

  // As in a run.
  void BindThread(const std::vector<int>& processors) const {
    if (of.crew_.post() != nullptr) return;
    executor::Bind(
        executor::ProcessorsOf(processors, of.here_[place], static_cast<int>(of.loads_.size())));
  }

  static void Add(std::vector<StepTimes>& sums, const std::vector<StepTimes>& more) {
    sums.resize(more.size());
    for (size_t i = 0; i < more.size(); ++i) {
      sums[i].run += more[i].run;
      sums[i].before += more[i].before;
      sums[i].count += more[i].count;
    }
  }

  void AskDevice(const executor::Step& step, StepTimes& times_of) {
    if (!status || step.when == nullptr) return;
    const auto span = step.when();
    if (!span) {
      status = Fail(span.error());
      return;
    }
    times_of.run = std::chrono::duration<double>(span->end - span->start).count();
  }

  // Gradients must be out on all ranks before they come in on one.
  template <class Meet>
  void StepEnd(const Meet& meet) {
    executor::Steps steps = of.ranks_[place]->StepEnd();
    for (const executor::Step& step : steps.list) {
      const double waited = executor::SecondsWaited(), start = executor::ThreadSeconds();
      if (status) status = step.run();
      const double run = executor::ThreadSeconds() - start;
      end.push_back({run - (executor::SecondsWaited() - waited), 0, 1});
      if (end.size() == 1) meet();
    }
    for (size_t i = 0; i < end.size(); ++i) AskDevice(steps.list[i], end[i]);
  }
};

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

Status Calibration::Measure() {
  if (Status met = crew_.Meet(); !met) return met;
  std::vector<Player> players;
  for (size_t i = 0; i < ranks_.size(); ++i) players.push_back({*this, i});
  const int count = static_cast<int>(players.size());
  Status met;  // all processes, before gradients come in
  std::barrier all(count, [this, &met, first = true]() mutable noexcept {
    if (std::exchange(first, false)) return;
    if (met) met = crew_.Meet();
  });
  std::atomic<int> through = 0;
  std::vector<std::thread> threads;
  const std::vector<int> processors = executor::Processors();
  for (Player& player : players) {
    threads.emplace_back([&] {
      player.BindThread(processors);
      player.Play();
      if (++through == count) crew_.Through();
      // Who is through keeps its processor busy for those that are not; but for those whose
      // exchanges need partners.
      while (training_.expert_ranks == 1 && player.status &&
             (through < count || !crew_.AllThrough())) {
        player.Play();
      }
      if (!player.status) {
        for (const auto& rank : ranks_) rank->Cancel();
      }
      all.arrive_and_wait();
      player.StepEnd([&] { all.arrive_and_wait(); });
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Player& player : players) {
    if (!player.status) return player.status;
    Keep(player.times);
    Keep({{{kStepEnd, static_cast<int>(player.place)}, player.end}});
  }
  const auto ranks = static_cast<int>(loads_.size());
  const bool waits_tell = ranks > 1 && ranks <= crew_.processors() && training_.expert_ranks == 1;
  return met && waits_tell ? MeasureAlone() : met;
}

// Ranks in turn; weight gradients go into the sums of a step that never ends.
Status Calibration::MeasureAlone() {
  const std::vector<int> processors = executor::Processors();
  for (size_t rank = 0; rank < loads_.size(); ++rank) {
    if (Status met = crew_.Meet(); !met) return met;
    const auto place = std::find(here_.begin(), here_.end(), static_cast<int>(rank));
    if (place == here_.end()) continue;
    Player player{*this, static_cast<size_t>(place - here_.begin())};
    std::atomic<bool> ended = false;
    std::vector<std::thread> threads;
    for (size_t i = 0; i < here_.size(); ++i) {
      threads.emplace_back([&, i] {
        Player{*this, i}.BindThread(processors);
        if (i == player.place) {
          player.Play();
          ended = true;
          ended.notify_all();
        } else {
          executor::WaitAwake([&] { return ended.load(); });
          ended.wait(false);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    if (!player.status) return player.status;
    KeepAlone(player.times);
  }
  return crew_.Meet();
}

void Calibration::KeepAlone(const ActionTimes& times) {
  for (const auto& [key, steps] : times) {
    auto& kept = samples_.at(key);
    for (size_t i = 0; i < steps.size(); ++i) {
      kept[i].alone.push_back(steps[i].run / steps[i].count);
    }
  }
}

void Calibration::Keep(const ActionTimes& times) {
  for (const auto& [key, steps] : times) {
    auto& kept = samples_[key];
    kept.resize(steps.size());
    for (size_t i = 0; i < steps.size(); ++i) {
      kept[i].run.push_back(steps[i].run / steps[i].count);
      kept[i].before.push_back(steps[i].before / steps[i].count);
    }
  }
}

std::vector<TimedStep> Calibration::Medians(const Key& key) const {
  std::vector<TimedStep> medians;
  for (const Samples& samples : samples_.at(key)) {
    const double run = MedianOnceWarm(samples.run);
    const double alone = samples.alone.empty() ? run : std::min(run, MedianOnceWarm(samples.alone));
    medians.push_back(
        {0, timeline::Lane::kCompute, {}, run, alone, MedianOnceWarm(samples.before)});
  }
  return medians;
}

TimedAction Calibration::Cost(size_t i, const Action& action) const {
  executor::Ports ports;
  const bool pair = action.kind == ActionKind::kOverlapped;
  const auto key = [](ActionKind kind, StageId stage) {
    return Key{static_cast<int>(kind), stage.value()};
  };
  const auto first = Medians(key(pair ? ActionKind::kForward : action.kind, action.stage));
  const auto backward =
      pair ? Medians(key(ActionKind::kBackward, action.backward_stage)) : std::vector<TimedStep>();
  TimedAction timed = Timed(ranks_[i]->Plan(action, ports));
  size_t of_first = 0, of_backward = 0;
  for (TimedStep& step : timed.steps) {
    const auto part = ranks_.front()->labels()[static_cast<size_t>(step.label)].part;
    const bool is_first = !pair || part == timeline::Part::kForward;
    const TimedStep& median = is_first ? first.at(of_first++) : backward.at(of_backward++);
    step.seconds = median.seconds;
    step.alone = median.alone;
    step.before = median.before;
  }
  return timed;
}

TimedAction Calibration::StepEnd(size_t i) const {
  TimedAction timed = Timed(ranks_[i]->StepEnd());
  const auto medians = Medians({kStepEnd, static_cast<int>(i)});
  for (size_t s = 0; s < medians.size(); ++s) {
    timed.steps[s].seconds = timed.steps[s].alone = medians[s].seconds;
  }
  return timed;
}

Result<RunCosts> Calibration::Costs(const schedules::Schedule& schedule) const {
  RunCosts own;
  const auto partners = Partners(training_, ranks_);
  for (size_t i = 0; i < here_.size(); ++i) {
    const auto rank = static_cast<size_t>(here_[i]);
    auto& actions = own.actions.emplace_back();
    for (const Action& action : schedule.actions[rank]) actions.push_back(Cost(i, action));
    own.step_ends.push_back(StepEnd(i));
    own.partners.push_back(partners[i]);
  }
  const auto all = crew_.Gather(PackCosts(own));
  if (!all) return Fail(all.error());
  RunCosts costs;
  for (const std::string& bytes : *all) AddCosts(bytes, costs);
  costs.labels = ranks_.front()->labels();
  costs.groups = ExpertGroups(training_, schedule.ranks);
  return costs;
}

}  // namespace pipescope::transformer
