#include "kernels/transformer/device/emulated_queue.h"

namespace pipescope::transformer::device {

void EmulatedEvent::Happen() {
  {
    const std::lock_guard lock(mutex_);
    const std::chrono::duration<double> now = std::chrono::steady_clock::now().time_since_epoch();
    seconds_ = now.count();
    happened_ = true;
  }
  changed_.notify_all();
}

void EmulatedEvent::Wait() const {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return happened_; });
}

Result<double> EmulatedEvent::Seconds() const {
  Wait();
  return seconds_;
}

bool EmulatedEvent::happened() const {
  const std::lock_guard lock(mutex_);
  return happened_;
}

WorkThread::WorkThread(uint32_t jitter)
    : jitter_(jitter != 0), random_(jitter), thread_([this] { Loop(); }) {}

WorkThread::~WorkThread() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void WorkThread::Put(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    works_.push_back(std::move(work));
  }
  changed_.notify_all();
}

EventPtr WorkThread::Record() {
  auto event = std::make_shared<EmulatedEvent>();
  Put([event] { event->Happen(); });
  return event;
}

void WorkThread::Wait(const EventPtr& event) {
  Put([event = std::static_pointer_cast<EmulatedEvent>(event)] { event->Wait(); });
}

Status WorkThread::Finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return works_.empty() && !busy_; });
  if (failure_.empty()) return {};
  return pipescope::Fail(failure_);
}

void WorkThread::Fail(const std::string& why) {
  const std::lock_guard lock(mutex_);
  if (failure_.empty()) failure_ = why;
}

void WorkThread::Stumble() {
  if (jitter_ && random_() % 32 == 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
}

// What is left when it ends is done before.
void WorkThread::Loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !works_.empty(); });
    if (works_.empty()) return;
    const auto work = std::move(works_.front());
    works_.pop_front();
    busy_ = true;
    lock.unlock();
    Stumble();
    work();
    lock.lock();
    busy_ = false;
    if (works_.empty()) changed_.notify_all();
  }
}

}  // namespace pipescope::transformer::device
