#include "kernels/executor/worker.h"

#include <pthread.h>
#include <sched.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace pipescope::executor {
namespace {

thread_local int own_place = 0;

}  // namespace

class Worker::Thread {
 public:
  // One that is idle, or a new one.
  static Thread* At(int place) {
    const std::lock_guard lock(Pool().mutex);
    auto& idle = Pool().idle[place];
    if (idle.empty()) return new Thread(place);
    Thread* const thread = idle.back();
    idle.pop_back();
    return thread;
  }

  void Start(std::function<void()> job) {
    {
      const std::lock_guard lock(mutex_);
      knows_allowed_ = sched_getaffinity(0, sizeof(allowed_), &allowed_) == 0;
      job_ = std::move(job);
    }
    changed_.notify_all();
  }

  void Wait() {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return job_ == nullptr; });
    }
    const std::lock_guard lock(Pool().mutex);
    Pool().idle[place_].push_back(this);
  }

 private:
  struct Idle {
    std::mutex mutex;
    std::map<int, std::vector<Thread*>> idle;
  };

  explicit Thread(int place) : place_(place) {
    std::thread([this] { Loop(); }).detach();
  }

  static Idle& Pool() {
    static auto& pool = *new Idle;
    return pool;
  }

  void Loop() {
    own_place = place_;
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return job_ != nullptr; });
      // A processor may have been taken away since: it then stays where it may run.
      if (knows_allowed_) (void)pthread_setaffinity_np(pthread_self(), sizeof(allowed_), &allowed_);
      lock.unlock();
      job_();
      lock.lock();
      job_ = nullptr;
      changed_.notify_all();
    }
  }

  const int place_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> job_;
  cpu_set_t allowed_ = {};
  bool knows_allowed_ = false;  // not where processors are more than a set holds
};

Worker::Worker(int place, std::function<void()> job) : thread_(Thread::At(place)) {
  thread_->Start(std::move(job));
}

Worker::Worker(Worker&& other) noexcept : thread_(std::exchange(other.thread_, nullptr)) {}

void Worker::Join() {
  if (thread_ == nullptr) return;
  thread_->Wait();
  thread_ = nullptr;
}

int Worker::Place() { return own_place; }

}  // namespace pipescope::executor
