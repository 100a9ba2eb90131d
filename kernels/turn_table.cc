#include "kernels/turn_table.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <new>
#include <utility>

namespace pipescope::kernels {
namespace {

long Futex(const std::atomic<uint32_t>& word, int operation, uint32_t value,
           const timespec* timeout = nullptr) {
  return syscall(SYS_futex, &word, operation, value, timeout, nullptr, 0);
}

void BindThread(pid_t thread, int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  // A processor may have been taken away since: the thread then stays where it may run.
  (void)sched_setaffinity(thread, sizeof(set), &set);
}

}  // namespace

struct TurnTable::Seat {
  pid_t thread = 0;                    // 0: nobody's
  int32_t processor = -1, bound = -1;  // its own now; the one that it was bound to last
  int32_t waits_for = -1;              // pokes of that process
  std::atomic<uint32_t> has_turn = 0;
};

struct TurnTable::Header {
  int32_t processors = 0, seats = 0, processes = 0;
  int64_t awhile = 0;                  // ns
  int32_t free = 0;                    // how many of free_
  int32_t first_ready = 0, ready = 0;  // where the ring begins, how many
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

  // Of what follows it.
  size_t FreeAt() const { return sizeof(Header); }
  size_t ReadyAt() const { return FreeAt() + sizeof(int32_t) * static_cast<size_t>(processors); }
  size_t PokesAt() const { return ReadyAt() + sizeof(int32_t) * static_cast<size_t>(seats); }
  size_t SeatsAt() const { return PokesAt() + sizeof(uint32_t) * static_cast<size_t>(processes); }
  size_t Bytes() const { return SeatsAt() + sizeof(Seat) * static_cast<size_t>(seats); }
};

namespace {

template <class T>
T* Place(void* memory, size_t at) {
  return reinterpret_cast<T*>(static_cast<std::byte*>(memory) + at);
}

}  // namespace

std::unique_ptr<TurnTable> TurnTable::Make(const std::vector<int>& processors, int seats,
                                           const Sharing& sharing) {
  const bool shared = sharing.processes > 0;
  Header plan;
  plan.processors = plan.free = static_cast<int32_t>(processors.size());
  plan.seats = seats;
  plan.processes = sharing.processes;
  plan.awhile = std::chrono::nanoseconds(sharing.awhile).count();
  const int file = shared ? memfd_create("turns", MFD_CLOEXEC) : -1;
  if (shared && (file < 0 || ftruncate(file, static_cast<off_t>(plan.Bytes())) != 0)) {
    if (file >= 0) close(file);
    return nullptr;
  }
  void* const memory = mmap(nullptr, plan.Bytes(), PROT_READ | PROT_WRITE,
                            shared ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, file, 0);
  if (memory == MAP_FAILED) {
    if (file >= 0) close(file);
    return nullptr;
  }
  auto* const header = new (memory) Header(plan);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  if (shared) pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init(&header->mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
  // The first one is handed out first.
  std::reverse_copy(processors.begin(), processors.end(), Place<int32_t>(memory, plan.FreeAt()));
  for (int i = 0; i < sharing.processes; ++i) {
    new (Place<std::atomic<uint32_t>>(memory, plan.PokesAt()) + i) std::atomic<uint32_t>(0);
  }
  for (int i = 0; i < seats; ++i) new (Place<Seat>(memory, plan.SeatsAt()) + i) Seat;
  std::string path =
      shared ? "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(file) : std::string();
  return std::unique_ptr<TurnTable>(
      new TurnTable(memory, plan.Bytes(), shared, file, std::move(path)));
}

std::unique_ptr<TurnTable> TurnTable::Open(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return nullptr;
  struct stat found = {};
  void* memory = MAP_FAILED;
  if (fstat(file, &found) == 0 && found.st_size >= static_cast<off_t>(sizeof(Header))) {
    memory = mmap(nullptr, static_cast<size_t>(found.st_size), PROT_READ | PROT_WRITE, MAP_SHARED,
                  file, 0);
  }
  close(file);
  if (memory == MAP_FAILED) return nullptr;
  const auto bytes = static_cast<size_t>(found.st_size);
  if (static_cast<const Header*>(memory)->Bytes() != bytes) {
    munmap(memory, bytes);
    return nullptr;
  }
  return std::unique_ptr<TurnTable>(new TurnTable(memory, bytes, true, -1, path));
}

TurnTable::TurnTable(void* memory, size_t bytes, bool shared, int file, std::string path)
    : header_(static_cast<Header*>(memory)),
      bytes_(bytes),
      futex_(shared ? 0 : FUTEX_PRIVATE_FLAG),
      file_(file),
      path_(std::move(path)),
      free_(Place<int32_t>(memory, header_->FreeAt())),
      ready_(Place<int32_t>(memory, header_->ReadyAt())),
      pokes_(Place<std::atomic<uint32_t>>(memory, header_->PokesAt())),
      seats_(Place<Seat>(memory, header_->SeatsAt())) {}

TurnTable::~TurnTable() {
  munmap(header_, bytes_);
  if (file_ >= 0) close(file_);
}

TurnTable::Seat& TurnTable::at(int seat) const { return seats_[seat]; }

void TurnTable::lock() { pthread_mutex_lock(&header_->mutex); }
void TurnTable::unlock() { pthread_mutex_unlock(&header_->mutex); }

int TurnTable::Sit() {
  const auto end = seats_ + header_->seats;
  const auto free = std::find_if(seats_, end, [](const Seat& seat) { return seat.thread == 0; });
  if (free == end) std::abort();  // more threads than were promised
  free->thread = static_cast<pid_t>(syscall(SYS_gettid));
  free->bound = -1;
  return static_cast<int>(free - seats_);
}

void TurnTable::Stand(int seat) { at(seat).thread = 0; }

void TurnTable::Ready(int seat) {
  ready_[(header_->first_ready + header_->ready++) % header_->seats] = seat;
}

void TurnTable::Release(int seat) {
  at(seat).has_turn.store(0, std::memory_order_relaxed);
  free_[header_->free++] = at(seat).processor;
}

bool TurnTable::AnyReady() const { return header_->ready > 0; }

std::vector<int> TurnTable::HandOut() {
  std::vector<int> seats;
  for (; header_->ready > 0 && header_->free > 0; --header_->ready) {
    Seat& seat = at(ready_[header_->first_ready]);
    seats.push_back(ready_[header_->first_ready]);
    header_->first_ready = (header_->first_ready + 1) % header_->seats;
    int32_t* const end = free_ + header_->free;
    int32_t* const own = std::find(free_, end, seat.bound);
    int32_t* const taken = own == end ? end - 1 : own;
    seat.processor = *taken;
    std::copy(taken + 1, end, taken);
    --header_->free;
  }
  return seats;
}

void TurnTable::Wake(const std::vector<int>& seats) {
  for (const int number : seats) {
    Seat& seat = at(number);
    if (seat.processor >= 0 && seat.bound != seat.processor) {
      BindThread(seat.thread, seat.processor);
      seat.bound = seat.processor;
    }
    seat.has_turn.store(1, std::memory_order_release);
    Futex(seat.has_turn, FUTEX_WAKE | futex_, 1);
  }
}

void TurnTable::Sleep(int seat) {
  const std::atomic<uint32_t>& has_turn = at(seat).has_turn;
  while (has_turn.load(std::memory_order_acquire) == 0) Futex(has_turn, FUTEX_WAIT | futex_, 0);
}

bool TurnTable::SleepAwhile(int seat) {
  const std::atomic<uint32_t>& has_turn = at(seat).has_turn;
  const timespec awhile = {header_->awhile / 1'000'000'000, header_->awhile % 1'000'000'000};
  long slept = 0;
  while (slept == 0 && has_turn.load(std::memory_order_acquire) == 0) {
    slept = Futex(has_turn, FUTEX_WAIT | futex_, 0, &awhile);
  }
  return has_turn.load(std::memory_order_acquire) != 0;
}

void TurnTable::Block(int seat, int process) { at(seat).waits_for = process; }

void TurnTable::Unblock(int seat) {
  if (at(seat).waits_for < 0) return;
  at(seat).waits_for = -1;
  Ready(seat);
}

void TurnTable::Poke(int process) {
  ++pokes_[process];
  for (int seat = 0; seat < header_->seats; ++seat) {
    if (at(seat).thread != 0 && at(seat).waits_for == process) Unblock(seat);
  }
}

uint32_t TurnTable::pokes(int process) const { return pokes_[process].load(); }

}  // namespace pipescope::kernels
