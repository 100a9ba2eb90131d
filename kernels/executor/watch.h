// A thread of each process of a job that ends it when something is wrong anywhere.
//
// Every kBeat a rank tells rank 0, and rank 0 all others, that it is there and where it stands. The
// job ends, on all of them with exit code 1 and one line on rank 0's stderr, where
//
//   a rank has failed                              it tells all others why
//   a rank has not been heard of for `patience`    its process hangs, or its machine is gone
//   no rank has got anywhere for `patience`        in a step; the line says where all stand
//
// The thread also moves on what MPI has to send (mpi/mpi_wire.cc): every kPush while there is any,
// but where the rank does so itself.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "kernels/executor/keeper.h"
#include "kernels/executor/post.h"

namespace pipescope::executor {

inline constexpr std::chrono::milliseconds kBeat{200}, kPush{1}, kLook{20};

class Watch {
 public:
  // All outlive it.
  Watch(Post& post, Stop& stop, Vigil& vigil, std::chrono::milliseconds patience);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Ends this process, and by telling the others the job. Later ranks wait a little longer, so that
  // one of them is heard: mpirun ends the others when the first one does.
  [[noreturn]] void End(const std::string& why, bool tell);

 private:
  using Clock = std::chrono::steady_clock;
  struct Heard {
    Clock::time_point last;
    std::string place;
    int64_t steps_run = 0;
    bool in_step = false;
  };

  void Loop();
  void Beat();
  void Listen();
  void CheckHeard(Clock::time_point now);
  void CheckProgress(Clock::time_point now);
  std::vector<int> Others() const;

  Post& post_;
  Stop& stop_;
  Vigil& vigil_;
  const std::chrono::milliseconds patience_;
  std::vector<Heard> heard_;  // [rank]
  int64_t steps_seen_ = -1;
  Clock::time_point moved_ = Clock::now();
  std::atomic<bool> ended_ = false, leaving_ = false;
  std::thread thread_;  // last: it starts when all else is there
};

}  // namespace pipescope::executor
