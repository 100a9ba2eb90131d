// Taking turns: more threads that work than processors, and none of these idle while one could.
//
//   Turns turns(processors);                       // those that the threads share
//   on each thread   const Turns::Seat seat(&turns);      // waits for a processor, and is bound to
//   it
//                    work;  OfferTurn();                  // who has been ready longer goes first
//                    WaitInTurn(lock, ready);             // leaves the processor to others
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
// The three functions do nothing on a thread without a seat, or with a seat of no Turns: the same
// code serves threads that have processors of their own.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

namespace pipescope::kernels {

class Turns {
 public:
  using Ready = std::function<bool()>;

  // Numbers as the system has them; a negative one is any: nobody is bound to it.
  explicit Turns(std::vector<int> processors);
  ~Turns();
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

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
    const pid_t thread_;
    int processor_ = -1, bound_ = -1;  // its own now; the one that it was bound to last
    const Ready* ready_ = nullptr;
    std::atomic<uint32_t> has_turn_ = 0;
  };

  // Of the calling thread's seat; null where it has none. For threads that it starts.
  static Turns* Mine();

  // What someone may wait for has changed. From any thread.
  void Tell();

 private:
  friend bool OfferTurn();
  friend bool WaitInTurn(std::unique_lock<std::mutex>& lock, const Ready& ready);

  bool Offer(Seat& seat);
  void Wait(Seat& seat, const Ready& ready);
  void Join(Seat& seat);
  void Leave(Seat& seat);
  void FindReady();
  // Whom to wake, without the lock.
  std::vector<Seat*> HandOut();
  static void Wake(const std::vector<Seat*>& seats);
  static void Sleep(Seat& seat);

  std::mutex mutex_;  // of what follows
  std::vector<int> free_;
  std::deque<Seat*> ready_, blocked_;
};

// After a piece of work: whoever is ready goes first. Whether someone was.
bool OfferTurn();

// Until `ready`, which is asked under the lock, by any thread that takes part, and must not take
// one itself. False, at once, where the thread does not take turns.
bool WaitInTurn(std::unique_lock<std::mutex>& lock, const Turns::Ready& ready);

// What someone may wait for has changed. Without a lock of one's own.
void TellTurns();

}  // namespace pipescope::kernels
