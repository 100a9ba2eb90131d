#include "kernels/turns.h"

#include <new>
#include <utility>

#include "kernels/turn_table.h"

namespace pipescope::kernels {
namespace {

thread_local Turns::Seat* own_seat = nullptr;

}  // namespace

Turns::Turns(const std::vector<int>& processors, int threads)
    : Turns(TurnTable::Make(processors, threads, {})) {}

Turns::Turns(std::unique_ptr<TurnTable> table) : table_(std::move(table)) {
  if (table_ == nullptr) throw std::bad_alloc();
}

Turns::~Turns() = default;

std::unique_ptr<Turns> Turns::Make(const std::vector<int>& processors, int threads, int processes,
                                   std::chrono::microseconds awhile) {
  auto table = TurnTable::Make(processors, threads, {processes, awhile});
  if (table == nullptr) return nullptr;
  return std::unique_ptr<Turns>(new Turns(std::move(table)));
}

std::unique_ptr<Turns> Turns::Open(const std::string& path) {
  auto table = TurnTable::Open(path);
  if (table == nullptr) return nullptr;
  return std::unique_ptr<Turns>(new Turns(std::move(table)));
}

const std::string& Turns::path() const { return table_->path(); }

Turns::Seat::Seat(Turns* turns) : turns_(turns), before_(own_seat) {
  own_seat = this;
  if (turns_ == nullptr) return;
  // On a machine of more processors than the set holds it stays empty, and nobody is bound.
  CPU_ZERO(&allowed_);
  (void)sched_getaffinity(0, sizeof(allowed_), &allowed_);
  TurnTable& table = *turns_->table_;
  table.lock();
  number_ = table.Sit();
  table.Ready(number_);
  const auto seats = table.HandOut();
  table.unlock();
  table.Wake(seats);
  table.Sleep(number_);
}

Turns::Seat::~Seat() {
  own_seat = before_;
  if (turns_ == nullptr) return;
  TurnTable& table = *turns_->table_;
  // Where it may run from now on: as before.
  (void)sched_setaffinity(0, sizeof(allowed_), &allowed_);
  table.lock();
  table.Release(number_);
  table.Stand(number_);
  turns_->FindReady();
  const auto seats = table.HandOut();
  table.unlock();
  table.Wake(seats);
}

Turns* Turns::Mine() { return own_seat == nullptr ? nullptr : own_seat->turns_; }

Turns* Turns::Shared() {
  Turns* const mine = Mine();
  return mine == nullptr || mine->path().empty() ? nullptr : mine;
}

void Turns::FindReady() {
  std::erase_if(blocked_, [this](const Seat* seat) {
    if (!(*seat->ready_)()) return false;
    table_->Ready(seat->number_);
    return true;
  });
}

void Turns::Tell() {
  table_->lock();
  FindReady();
  const auto seats = table_->HandOut();
  table_->unlock();
  table_->Wake(seats);
}

void Turns::Poke(int process) {
  table_->lock();
  table_->Poke(process);
  const auto seats = table_->HandOut();
  table_->unlock();
  table_->Wake(seats);
}

uint32_t Turns::pokes(int process) const { return table_->pokes(process); }

void Turns::AwaitPoke(int process, uint32_t seen) {
  const int seat = own_seat->number_;
  table_->lock();
  if (table_->pokes(process) != seen) {
    table_->unlock();
    return;
  }
  table_->Release(seat);
  table_->Block(seat, process);
  FindReady();
  auto seats = table_->HandOut();
  table_->unlock();
  table_->Wake(seats);
  if (table_->SleepAwhile(seat)) return;
  table_->lock();
  table_->Unblock(seat);
  seats = table_->HandOut();
  table_->unlock();
  table_->Wake(seats);
  table_->Sleep(seat);
}

bool Turns::Offer(Seat& seat) {
  table_->lock();
  FindReady();
  auto seats = table_->HandOut();
  const bool others = table_->AnyReady();
  if (others) {
    table_->Ready(seat.number_);
    table_->Release(seat.number_);
    const auto next = table_->HandOut();
    seats.insert(seats.end(), next.begin(), next.end());
  }
  table_->unlock();
  table_->Wake(seats);
  if (others) table_->Sleep(seat.number_);
  return others;
}

void Turns::Wait(Seat& seat, const Ready& ready) {
  table_->lock();
  if (ready()) {
    table_->unlock();
    return;
  }
  seat.ready_ = &ready;
  blocked_.push_back(&seat);
  table_->Release(seat.number_);
  FindReady();
  const auto seats = table_->HandOut();
  table_->unlock();
  table_->Wake(seats);
  table_->Sleep(seat.number_);
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
