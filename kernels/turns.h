// Taking turns: more threads that work than processors, and none of these idle while one could.
//
//   Turns turns(processors, threads);
//   on each thread   const Turns::Seat seat(&turns);   waits for a processor, is bound to it
//                    work;  OfferTurn();               who has been ready longer goes first
//                    WaitInTurn(lock, ready);          leaves the processor to others
//                    make something ready;  TellTurns();
//
// First come, first served: whoever becomes ready gets the processor that is free, or else the one
// that the next thread offers or leaves. A thread has its processor until then:
//
//   A, B, C on one processor, each with two pieces of work   A1 B1 C1 A2 B2 C2
//
// Why not leave it to the system? Its fair scheduler looks for work on other processors' queues
// only now and then, so that of four threads on two processors three may take turns on one while
// the other idles, and it lets a thread that others wait for stand behind one that nobody needs.
// Here all threads but as many as there are processors sleep, each has a processor of its own when
// it is woken, and there is nothing left to decide.
//
// The functions do nothing on a thread without a seat, or with a seat of no Turns: the same code
// serves threads that have processors of their own.
//
// Threads of several processes take turns in memory that these share: Make on one of them, Open
// with its `path` on the others. What there is for a process is for it alone to see, so who sends
// it something pokes it, and its threads that wait get turns, in which they look:
//
//   while (true) {
//     const uint32_t seen = turns->pokes(process);
//     if (Look()) break;
//     turns->AwaitPoke(process, seen);
//   }
#pragma once

#include <sched.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace pipescope::kernels {

class TurnTable;

class Turns {
 public:
  using Ready = std::function<bool()>;

  // Of one process. Processors: numbers as the system has them; a negative one is any, nobody is
  // bound to it. At most so many threads have seats at a time.
  Turns(const std::vector<int>& processors, int threads);
  // Of several. Null where the system refuses.
  static std::unique_ptr<Turns> Make(const std::vector<int>& processors, int threads, int processes,
                                     std::chrono::microseconds awhile);
  static std::unique_ptr<Turns> Open(const std::string& path);
  ~Turns();
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  // For Open, as long as these turns are there; empty for those of one process.
  const std::string& path() const;

  // Of a thread, as long as it is there; all end before the turns do.
  class Seat {
   public:
    explicit Seat(Turns* turns);
    ~Seat();
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

   private:
    friend class Turns;
    Turns* const turns_;
    Seat* const before_;  // the thread's, while this one is there
    int number_ = -1;     // in the table
    cpu_set_t allowed_;   // where the thread could run before
    const Ready* ready_ = nullptr;
  };

  // Of the calling thread's seat; null where it has none. For threads that it starts.
  static Turns* Mine();
  // Those that it shares with other processes; null where there are none.
  static Turns* Shared();

  // What someone may wait for has changed. From any thread of the process.
  void Tell();

  // There is something for a process, by its number among those that share the turns. From any
  // thread.
  void Poke(int process);
  uint32_t pokes(int process) const;
  // The calling thread leaves its processor to others until the process, its own, has been poked
  // more often than that, or for a while: what comes from elsewhere comes without.
  void AwaitPoke(int process, uint32_t seen);

 private:
  friend bool OfferTurn();
  friend bool WaitInTurn(std::unique_lock<std::mutex>& lock, const Ready& ready);

  explicit Turns(std::unique_ptr<TurnTable> table);
  bool Offer(Seat& seat);
  void Wait(Seat& seat, const Ready& ready);
  void FindReady();

  const std::unique_ptr<TurnTable> table_;
  std::vector<Seat*> blocked_;  // of this process; guarded by the table's lock
};

// After a piece of work: whoever is ready goes first. Whether someone was.
bool OfferTurn();

// Until `ready`, which is asked under the lock, by any thread that takes part, and must not take
// one itself. False, at once, where the thread does not take turns.
bool WaitInTurn(std::unique_lock<std::mutex>& lock, const Turns::Ready& ready);

// What someone may wait for has changed. Without a lock of one's own.
void TellTurns();

}  // namespace pipescope::kernels
