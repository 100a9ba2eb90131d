#include "kernels/exchange/schedule.h"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <random>
#include <thread>

namespace pipescope::kernels::exchange {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPatience = std::chrono::seconds(100);

class Threads {
 public:
  void Start(std::vector<Task> tasks) {
    threads_.emplace_back([this, own = std::move(tasks)]() mutable { Run(own); });
  }
  Status Join() {
    for (std::thread& thread : threads_) thread.join();
    if (stuck_.load() == 0) return {};
    return Fail(fmt::format("the exchange stands still: {} roles wait", stuck_.load()));
  }

 private:
  void Run(std::vector<Task>& tasks) {
    Clock::time_point last = Clock::now();
    while (!tasks.empty()) {
      if (Round(tasks)) {
        last = Clock::now();
        continue;
      }
      if (stuck_.load(std::memory_order_relaxed) > 0 || Clock::now() - last > kPatience) {
        stuck_ += static_cast<int64_t>(tasks.size());
        return;
      }
      std::this_thread::yield();
    }
  }

  std::vector<std::thread> threads_;
  std::atomic<int64_t> stuck_ = 0;
};

Status RunDrawn(std::vector<Task> tasks, uint64_t seed) {
  std::mt19937_64 random(seed);
  size_t waiting = 0;  // tasks at the end of the list that could not go on since one last moved
  while (!tasks.empty()) {
    const size_t ready = tasks.size() - waiting;
    if (ready == 0) {
      return Fail(fmt::format("the exchange stands still: {} roles wait", tasks.size()));
    }
    const size_t i = random() % ready;
    const Progress progress = tasks[i]();
    if (progress == Progress::kWaits) {
      std::swap(tasks[i], tasks[ready - 1]);
      ++waiting;
      continue;
    }
    waiting = 0;
    if (progress == Progress::kDone) {
      tasks[i] = std::move(tasks.back());
      tasks.pop_back();
    }
  }
  return {};
}

}  // namespace

bool Round(std::vector<Task>& tasks) {
  bool moved = false;
  for (size_t i = 0; i < tasks.size();) {
    const Progress progress = tasks[i]();
    moved |= progress != Progress::kWaits;
    if (progress == Progress::kDone) {
      tasks[i] = std::move(tasks.back());
      tasks.pop_back();
    } else {
      ++i;
    }
  }
  return moved;
}

Status RunTasks(std::vector<std::vector<Task>> tasks, const Schedule& schedule) {
  if (schedule.drawn) {
    std::vector<Task> all;
    for (auto& of_rank : tasks) std::move(of_rank.begin(), of_rank.end(), std::back_inserter(all));
    return RunDrawn(std::move(all), *schedule.drawn);
  }
  Threads threads;
  for (auto& of_rank : tasks) {
    std::vector<std::vector<Task>> parts(static_cast<size_t>(schedule.threads));
    for (size_t i = 0; i < of_rank.size(); ++i) {
      parts[i % parts.size()].push_back(std::move(of_rank[i]));
    }
    for (auto& part : parts) threads.Start(std::move(part));
  }
  return threads.Join();
}

}  // namespace pipescope::kernels::exchange
