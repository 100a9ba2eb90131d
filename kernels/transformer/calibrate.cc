#include "kernels/transformer/calibrate.h"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <random>
#include <set>
#include <thread>

#include "schedules/token.h"

namespace pipescope::transformer {
namespace {

using schedules::Action;
using schedules::ActionKind;

double MedianOf(std::vector<double> values) {
  PIPESCOPE_CHECK(!values.empty());
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
    timed.steps.push_back({step.label, step.lane, step.after, 0});
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
  size_t rank;
  ActionTimes times = {};
  std::vector<StepTimes> end = {};
  Status status = {};

  void Play() {
    TimedWork work(*of.ranks_[rank]);
    status = executor::PlayAlone(of.OrderOf(rank), of.handed_, work);
    for (const auto& [key, steps] : work.times()) Add(times[key], steps);
  }

  static void Add(std::vector<StepTimes>& sums, const std::vector<StepTimes>& more) {
    sums.resize(more.size());
    for (size_t i = 0; i < more.size(); ++i) {
      sums[i].run += more[i].run;
      sums[i].before += more[i].before;
      sums[i].count += more[i].count;
    }
  }

  // Gradients must be out on all ranks before they come in on one.
  void StepEnd(std::barrier<>& all) {
    executor::Steps steps = of.ranks_[rank]->StepEnd();
    for (const executor::Step& step : steps.list) {
      const double start = ThreadSeconds();
      if (status) status = step.run();
      end.push_back({ThreadSeconds() - start, 0, 1});
      if (end.size() == 1) all.arrive_and_wait();
    }
  }
};

std::vector<RankLoad> LoadsOf(const schedules::Schedule& schedule) {
  std::vector<RankLoad> loads;
  for (const auto& actions : schedule.actions) {
    std::set<int> stages;
    int now = 0, most = 0;
    for (const Action& action : actions) {
      if (schedules::HasForward(action)) most = std::max(most, ++now);
      if (schedules::HasBackward(action)) --now;
      stages.insert(action.stage.value());
      stages.insert(schedules::BackwardStage(action).value());
    }
    const int count = std::max(1, static_cast<int>(stages.size()));
    loads.push_back({{stages.begin(), stages.end()}, std::max(1, (most + count - 1) / count)});
  }
  return loads;
}

Calibration::Calibration(const ModelConfig& model, const schedules::Schedule& schedule,
                         int replicas, int expert_ranks)
    : loads_(LoadsOf(schedule)) {
  training_.model = model;
  training_.stages = schedule.stages;
  training_.microbatches = schedule.microbatches;
  training_.replicas = replicas;
  training_.expert_ranks = expert_ranks;
  ranks_ = MakeRanks(training_, schedule);
  const size_t size = static_cast<size_t>(model.tokens * model.hidden);
  handed_ = {schedule.stages, Draw(size, 1, 1), Draw(size, training_.LossWeight(), 2)};
}

std::vector<Action> Calibration::OrderOf(size_t rank) const {
  const int count = std::max(2, training_.microbatches / training_.replicas);
  const auto& [stages, held] = loads_[rank];
  std::vector<Action> order;
  const auto backward = [&](ActionKind kind, int microbatch) {
    for (auto stage = stages.rbegin(); stage != stages.rend(); ++stage) {
      order.push_back({kind, StageId(*stage), MicrobatchId(microbatch)});
    }
  };
  const auto split = [](int microbatch) { return microbatch % 2 == 1; };
  // At least two: B of one, I and W of another.
  for (int m = 0; m <= count + held; ++m) {
    for (const int stage : stages) {
      if (m < count) order.push_back({ActionKind::kForward, StageId(stage), MicrobatchId(m)});
    }
    const int back = m - held + 1;
    if (back - 1 >= 0 && split(back - 1)) backward(ActionKind::kWeightGrad, back - 1);
    if (back < 0 || back >= count) continue;
    backward(split(back) ? ActionKind::kInputGrad : ActionKind::kBackward, back);
  }
  return order;
}

Status Calibration::Measure() {
  std::vector<Player> players;
  for (size_t r = 0; r < ranks_.size(); ++r) players.push_back({*this, r});
  const int count = static_cast<int>(players.size());
  std::barrier<> all(count);
  std::atomic<int> through = 0;
  std::vector<std::thread> threads;
  for (Player& player : players) {
    threads.emplace_back([&] {
      player.Play();
      ++through;
      // Who is through keeps its processor busy for those that are not; but for those whose
      // exchanges need partners.
      while (training_.expert_ranks == 1 && through < count && player.status) player.Play();
      if (!player.status) {
        for (const auto& rank : ranks_) rank->Cancel();
      }
      all.arrive_and_wait();
      player.StepEnd(all);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Player& player : players) {
    if (!player.status) return player.status;
    Keep(player.times);
    Keep({{{kStepEnd, static_cast<int>(player.rank)}, player.end}});
  }
  return {};
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
    medians.push_back(
        {0, timeline::Lane::kCompute, {}, MedianOf(samples.run), MedianOf(samples.before)});
  }
  return medians;
}

TimedAction Calibration::Cost(int rank, const Action& action) const {
  executor::Ports ports;
  const bool pair = action.kind == ActionKind::kOverlapped;
  const auto key = [](ActionKind kind, StageId stage) {
    return Key{static_cast<int>(kind), stage.value()};
  };
  const auto first = Medians(key(pair ? ActionKind::kForward : action.kind, action.stage));
  const auto backward =
      pair ? Medians(key(ActionKind::kBackward, action.backward_stage)) : std::vector<TimedStep>();
  TimedAction timed = Timed(ranks_[static_cast<size_t>(rank)]->Plan(action, ports));
  size_t of_first = 0, of_backward = 0;
  for (TimedStep& step : timed.steps) {
    const auto part = ranks_.front()->labels()[static_cast<size_t>(step.label)].part;
    const bool is_first = !pair || part == timeline::Part::kForward;
    const TimedStep& median = is_first ? first.at(of_first++) : backward.at(of_backward++);
    step.seconds = median.seconds;
    step.before = median.before;
  }
  return timed;
}

TimedAction Calibration::StepEnd(int rank) const {
  TimedAction timed = Timed(ranks_[static_cast<size_t>(rank)]->StepEnd());
  const auto medians = Medians({kStepEnd, rank});
  for (size_t i = 0; i < medians.size(); ++i) timed.steps[i].seconds = medians[i].seconds;
  return timed;
}

RunCosts Calibration::Costs(const schedules::Schedule& schedule) const {
  RunCosts costs;
  costs.labels = ranks_.front()->labels();
  costs.partners = Partners(ranks_);
  costs.groups = ExpertGroups(training_, schedule.ranks);
  for (int rank = 0; rank < schedule.ranks; ++rank) {
    auto& actions = costs.actions.emplace_back();
    for (const Action& action : schedule.actions[static_cast<size_t>(rank)]) {
      actions.push_back(Cost(rank, action));
    }
    costs.step_ends.push_back(StepEnd(rank));
  }
  return costs;
}

}  // namespace pipescope::transformer
