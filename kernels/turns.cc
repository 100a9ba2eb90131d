#include "kernels/turns.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace pipescope::kernels {
namespace {

thread_local Turns::Seat* own_seat = nullptr;

}  // namespace

Turns::Turns(std::vector<int> processors) : free_(std::move(processors)) {
  std::reverse(free_.begin(), free_.end());  // the first one is handed out first
}

Turns::~Turns() = default;

Turns::Seat::Seat(Turns* turns)
    : turns_(turns), before_(own_seat), thread_(static_cast<pid_t>(syscall(SYS_gettid))) {
  own_seat = this;
  if (turns_ != nullptr) turns_->Join(*this);
}

Turns::Seat::~Seat() {
  if (turns_ != nullptr) turns_->Leave(*this);
  own_seat = before_;
}

Turns* Turns::Mine() { return own_seat == nullptr ? nullptr : own_seat->turns_; }

// They sleep, or are about to: where they run next is decided before they wake.
void Turns::Wake(const std::vector<Seat*>& seats) {
  for (Seat* seat : seats) {
    if (seat->processor_ >= 0 && seat->bound_ != seat->processor_) {
      cpu_set_t set;
      CPU_ZERO(&set);
      CPU_SET(seat->processor_, &set);
      // A processor may have been taken away since: the thread then stays where it may run.
      (void)sched_setaffinity(seat->thread_, sizeof(set), &set);
      seat->bound_ = seat->processor_;
    }
    seat->has_turn_.store(1, std::memory_order_release);
    syscall(SYS_futex, &seat->has_turn_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }
}

void Turns::Sleep(Seat& seat) {
  while (seat.has_turn_.load(std::memory_order_acquire) == 0) {
    syscall(SYS_futex, &seat.has_turn_, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
  }
}

void Turns::FindReady() {
  std::erase_if(blocked_, [this](Seat* seat) {
    if (!(*seat->ready_)()) return false;
    ready_.push_back(seat);
    return true;
  });
}

// To the one that has waited longest, of the free ones the processor that it had.
std::vector<Turns::Seat*> Turns::HandOut() {
  std::vector<Seat*> seats;
  while (!ready_.empty() && !free_.empty()) {
    Seat* const seat = ready_.front();
    ready_.pop_front();
    auto at = std::find(free_.begin(), free_.end(), seat->bound_);
    if (at == free_.end()) at = free_.end() - 1;
    seat->processor_ = *at;
    free_.erase(at);
    seats.push_back(seat);
  }
  return seats;
}

void Turns::Join(Seat& seat) {
  std::unique_lock lock(mutex_);
  ready_.push_back(&seat);
  const auto seats = HandOut();
  lock.unlock();
  Wake(seats);
  Sleep(seat);
}

void Turns::Leave(Seat& seat) {
  std::unique_lock lock(mutex_);
  free_.push_back(seat.processor_);
  FindReady();
  const auto seats = HandOut();
  lock.unlock();
  Wake(seats);
}

void Turns::Tell() {
  std::unique_lock lock(mutex_);
  FindReady();
  const auto seats = HandOut();
  lock.unlock();
  Wake(seats);
}

bool Turns::Offer(Seat& seat) {
  std::unique_lock lock(mutex_);
  FindReady();
  auto seats = HandOut();
  const bool others = !ready_.empty();
  if (others) {
    seat.has_turn_.store(0, std::memory_order_relaxed);
    ready_.push_back(&seat);
    free_.push_back(seat.processor_);
    const auto next = HandOut();
    seats.insert(seats.end(), next.begin(), next.end());
  }
  lock.unlock();
  Wake(seats);
  if (others) Sleep(seat);
  return others;
}

void Turns::Wait(Seat& seat, const Ready& ready) {
  std::unique_lock lock(mutex_);
  if (ready()) return;
  seat.ready_ = &ready;
  seat.has_turn_.store(0, std::memory_order_relaxed);
  blocked_.push_back(&seat);
  free_.push_back(seat.processor_);
  FindReady();
  const auto seats = HandOut();
  lock.unlock();
  Wake(seats);
  Sleep(seat);
}

bool OfferTurn() { return Turns::Mine() != nullptr && Turns::Mine()->Offer(*own_seat); }

bool WaitInTurn(std::unique_lock<std::mutex>& lock, const Turns::Ready& ready) {
  if (Turns::Mine() == nullptr) return false;
  std::mutex* const mutex = lock.release();
  mutex->unlock();
  Turns::Mine()->Wait(*own_seat, [mutex, &ready] {
    const std::lock_guard asked(*mutex);
    return ready();
  });
  lock = std::unique_lock(*mutex);
  return true;
}

void TellTurns() {
  if (Turns::Mine() != nullptr) Turns::Mine()->Tell();
}

}  // namespace pipescope::kernels
