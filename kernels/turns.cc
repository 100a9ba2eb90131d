#include "kernels/turns.h"

#include <new>
#include <utility>

#include "kernels/turn_table.h"

namespace pipescope::kernels {
namespace {

thread_local Turns::Seat* own_seat = nullptr;

// Changes the table, hands out what processors are then free, and wakes those that got one.
template <class Change>
void Update(TurnTable& table, const Change& change) {
  table.lock();
  change();
  const auto seats = table.HandOut();
  table.unlock();
  table.Wake(seats);
}

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
  Update(table, [&] {
    number_ = table.Sit();
    table.Ready(number_);
  });
  table.Sleep(number_);
}

Turns::Seat::~Seat() {
  own_seat = before_;
  if (turns_ == nullptr) return;
  TurnTable& table = *turns_->table_;
  // Where it may run from now on: as before.
  (void)sched_setaffinity(0, sizeof(allowed_), &allowed_);
  Update(table, [&] {
    table.Release(number_);
    table.Stand(number_);
    turns_->FindReady();
  });
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
  Update(*table_, [&] { FindReady(); });
}

void Turns::Poke(int process) {
  Update(*table_, [&] { table_->Poke(process); });
}

uint32_t Turns::pokes(int process) const { return table_->pokes(process); }

void Turns::AwaitPoke(int process, uint32_t seen) {
  const int seat = own_seat->number_;
  Update(*table_, [&] {
    if (table_->pokes(process) != seen) return;
    table_->Release(seat);
    table_->Block(seat, process);
    FindReady();
  });
  if (table_->SleepAwhile(seat)) return;
  Update(*table_, [&] { table_->Unblock(seat); });
  table_->Sleep(seat);
}

bool Turns::Offer(Seat& seat) {
  Tell();  // processors that are idle come first
  bool others = false;
  Update(*table_, [&] {
    others = table_->AnyReady();
    if (!others) return;
    table_->Ready(seat.number_);
    table_->Release(seat.number_);
  });
  if (others) table_->Sleep(seat.number_);
  return others;
}

void Turns::Wait(Seat& seat, const Ready& ready) {
  Update(*table_, [&] {
    if (ready()) return;
    seat.ready_ = &ready;
    blocked_.push_back(&seat);
    table_->Release(seat.number_);
    FindReady();
  });
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
