// What threads that take turns share: who has which processor, and who is ready, in the order in
// which they became so. In memory of one process, or of several.
//
//   lock   ... Ready(seat), Release(seat), seats = HandOut() ...   unlock   Wake(seats)
//
// Nobody waits for a processor with the lock.
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace pipescope::kernels {

class TurnTable {
 public:
  struct Sharing {
    int processes = 0;  // that poke each other; 0: it is of one alone
    std::chrono::microseconds awhile{};
  };
  // Null where the system refuses.
  static std::unique_ptr<TurnTable> Make(const std::vector<int>& processors, int seats,
                                         const Sharing& sharing);
  static std::unique_ptr<TurnTable> Open(const std::string& path);
  ~TurnTable();
  TurnTable(const TurnTable&) = delete;
  TurnTable& operator=(const TurnTable&) = delete;

  // Empty where it is of one process.
  const std::string& path() const { return path_; }

  void lock();
  void unlock();

  // With the lock. A seat is the calling thread's from Sit to Stand.
  int Sit();
  void Stand(int seat);
  void Ready(int seat);               // it waits for a processor from now on
  void Release(int seat);             // its processor is free
  void Block(int seat, int process);  // it waits until the process is poked
  void Unblock(int seat);             // no longer: it is ready, if it was not already
  void Poke(int process);
  bool AnyReady() const;
  // Free processors to those that have been ready longest, the one that a thread had if it is free.
  std::vector<int> HandOut();

  // Without it. Where threads run next is decided before they wake.
  void Wake(const std::vector<int>& seats);
  void Sleep(int seat);
  // Until it has a turn, true, or for a while.
  bool SleepAwhile(int seat);
  uint32_t pokes(int process) const;

 private:
  struct Seat;
  struct Header;
  TurnTable(void* memory, size_t bytes, bool shared, int file, std::string path);
  Seat& at(int seat) const;

  Header* const header_;
  const size_t bytes_;
  const int futex_;  // of the system's futexes: whether only this process has the memory
  const int file_;   // -1: none
  const std::string path_;
  // In the memory, after its header:
  int32_t* const free_;   // a stack
  int32_t* const ready_;  // a ring
  std::atomic<uint32_t>* const pokes_;
  Seat* const seats_;
};

}  // namespace pipescope::kernels
