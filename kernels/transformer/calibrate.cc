#include "kernels/transformer/calibrate.h"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <numeric>
#include <random>
#include <thread>

namespace pipescope::transformer {
namespace {

using Clock = std::chrono::steady_clock;
using schedules::ActionKind;

double MedianOf(std::vector<double> values) {
  PIPESCOPE_CHECK(!values.empty());
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double MeanOf(const std::vector<double>& values) {
  PIPESCOPE_CHECK(!values.empty());
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
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

std::vector<float> Draw(size_t count, float scale, uint32_t seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> values(count);
  for (float& value : values) value = normal(engine);
  return values;
}

}  // namespace

struct Calibration::Player {
  Calibration& of;
  size_t index;
  std::vector<float> activation, gradient;
  Samples samples;
  Status status = {};

  Player(Calibration& calibration, size_t i) : of(calibration), index(i) {
    const ModelConfig& m = of.training_.model;
    const size_t size = static_cast<size_t>(m.tokens * m.hidden);
    const auto seed = static_cast<uint32_t>(i);
    activation = Draw(size, 1, seed);
    gradient = Draw(size, static_cast<float>(of.training_.LossWeight()), seed + 1000);
  }

  template <class Visit>
  void EachRank(const Visit& visit) {
    for (size_t r = index; r < of.ranks_.size(); r += static_cast<size_t>(of.threads_)) {
      if (status) visit(r);
    }
  }

  // Steps [first, end) of a list, timed.
  void Time(const Key& key, executor::Steps& steps, size_t first, size_t end) {
    auto& of_key = samples[key];
    of_key.resize(steps.list.size());
    for (size_t i = first; i < end && status; ++i) {
      const Clock::time_point start = Clock::now();
      status = steps.list[i].run();
      const std::chrono::duration<double> took = Clock::now() - start;
      of_key[i].push_back(took.count());
    }
  }

  void Act(size_t rank, ActionKind kind, int stage, int slot) {
    executor::Ports ports;
    ports.activation_in = activation;
    if (stage < of.training_.stages - 1) ports.gradient_in = gradient;
    const schedules::Action action{kind, StageId(stage), MicrobatchId(slot)};
    executor::Steps steps = of.ranks_[rank]->Plan(action, ports);
    Time({static_cast<int>(kind), stage}, steps, 0, steps.list.size());
  }

  void Actions() {
    EachRank([&](size_t rank) {
      for (const int stage : of.stages_[rank]) {
        const int slots = of.training_.microbatches;
        for (int slot = 0; slot < slots; ++slot) Act(rank, ActionKind::kForward, stage, slot);
        for (int slot = 0; slot < slots; ++slot) {
          if (slot % 2 == 0) {
            Act(rank, ActionKind::kBackward, stage, slot);
          } else {
            Act(rank, ActionKind::kInputGrad, stage, slot);
            Act(rank, ActionKind::kWeightGrad, stage, slot);
          }
        }
      }
    });
  }

  // Gradients must be out on all ranks before they come in on one.
  void StepEnd(std::barrier<>& all) {
    std::vector<std::pair<Key, executor::Steps>> ends;
    EachRank([&](size_t rank) {
      ends.emplace_back(Key{kStepEnd, static_cast<int>(rank)}, of.ranks_[rank]->StepEnd());
    });
    for (auto& [key, steps] : ends) Time(key, steps, 0, 1);
    all.arrive_and_wait();
    for (auto& [key, steps] : ends) Time(key, steps, 1, steps.list.size());
  }
};

Calibration::Calibration(const ModelConfig& model, const schedules::Schedule& schedule, int threads)
    : threads_(std::min(threads, schedule.ranks)) {
  training_.model = model;
  training_.stages = schedule.stages;
  training_.microbatches = std::max(2, schedule.ranks);  // in flight
  ranks_ = MakeRanks(training_, schedule);
  for (const auto& rank : ranks_) {
    auto& held = stages_.emplace_back();
    for (const auto& [s, stage] : dynamic_cast<const Rank&>(*rank).stages()) held.push_back(s);
  }
}

Status Calibration::Measure(int passes) {
  std::vector<Player> players;
  for (int t = 0; t < threads_; ++t) players.emplace_back(*this, static_cast<size_t>(t));
  std::barrier<> all(threads_);
  std::atomic<int> through = 0;
  std::vector<std::thread> threads;
  for (Player& player : players) {
    threads.emplace_back([&] {
      for (int pass = 0; pass < passes; ++pass) player.Actions();
      ++through;
      // Who is through keeps its processor busy for those that are not.
      while (through < threads_ && player.status) player.Actions();
      all.arrive_and_wait();
      if (!player.status) training_.copies.Cancel();
      player.StepEnd(all);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (Player& player : players) {
    if (!player.status) return player.status;
    for (auto& [key, steps] : player.samples) {
      auto& kept = samples_[key];
      kept.resize(steps.size());
      for (size_t i = 0; i < steps.size(); ++i) kept[i].push_back(MeanOf(steps[i]));
    }
  }
  return {};
}

std::vector<double> Calibration::Medians(const Key& key) const {
  std::vector<double> medians;
  const bool any = std::find(quiet_.begin(), quiet_.end(), true) != quiet_.end();
  for (const auto& calls : samples_.at(key)) {
    std::vector<double> counted;
    for (size_t i = 0; i < calls.size(); ++i) {
      if (!any || (i < quiet_.size() && quiet_[i])) counted.push_back(calls[i]);
    }
    medians.push_back(MedianOf(counted));
  }
  return medians;
}

TimedAction Calibration::Cost(int rank, const schedules::Action& action) const {
  executor::Ports ports;
  const bool pair = action.kind == ActionKind::kOverlapped;
  const auto key = [](ActionKind kind, StageId stage) {
    return Key{static_cast<int>(kind), stage.value()};
  };
  const auto first = Medians(key(pair ? ActionKind::kForward : action.kind, action.stage));
  const auto backward =
      pair ? Medians(key(ActionKind::kBackward, action.backward_stage)) : std::vector<double>();
  TimedAction timed = Timed(ranks_[static_cast<size_t>(rank)]->Plan(action, ports));
  size_t of_first = 0, of_backward = 0;
  for (TimedStep& step : timed.steps) {
    const auto part = ranks_.front()->labels()[static_cast<size_t>(step.label)].part;
    const bool is_first = !pair || part == timeline::Part::kForward;
    step.seconds = is_first ? first.at(of_first++) : backward.at(of_backward++);
  }
  return timed;
}

TimedAction Calibration::StepEnd(int rank) const {
  TimedAction timed = Timed(ranks_[static_cast<size_t>(rank)]->StepEnd());
  const auto seconds = Medians({kStepEnd, rank});
  for (size_t i = 0; i < seconds.size(); ++i) timed.steps[i].seconds = seconds[i];
  return timed;
}

RunCosts Calibration::Costs(const schedules::Schedule& schedule) const {
  RunCosts costs;
  costs.labels = ranks_.front()->labels();
  costs.partners = Partners(ranks_);
  for (int rank = 0; rank < schedule.ranks; ++rank) {
    auto& actions = costs.actions.emplace_back();
    for (const schedules::Action& action : schedule.actions[static_cast<size_t>(rank)]) {
      actions.push_back(Cost(rank, action));
    }
    costs.step_ends.push_back(StepEnd(rank));
  }
  return costs;
}

}  // namespace pipescope::transformer
