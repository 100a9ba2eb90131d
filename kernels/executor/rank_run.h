// One rank of a run: its actions in order, each with its steps on two lanes.
//
//   for each action      the compute lane's steps on this thread, the communication lane's on
//                        another; a step starts when the one before on its lane, those it names and
//                        its message are there
//   next action          when all steps of this one have ended
#pragma once

#include <array>
#include <atomic>
#include <string>

#include "kernels/executor/record.h"
#include "kernels/executor/routes.h"
#include "kernels/executor/stop.h"
#include "kernels/executor/transport.h"
#include "kernels/executor/work.h"

namespace pipescope::executor {

// Others may read it while it changes, and find a mix of two actions at worst.
class SharedAction {
 public:
  void Set(const schedules::Action& action);
  schedules::Action Get() const;

 private:
  std::array<std::atomic<int32_t>, 5> fields_ = {};
};

// Where a rank stands, for whoever watches it, perhaps from another process.
struct Standing {
  std::atomic<int32_t> action = 0;     // position in its list; the list's length: the step's end
  std::atomic<int64_t> steps_run = 0;  // grows as long as it gets anywhere
  std::atomic<int32_t> actions = 0;    // the list's length
  SharedAction now;                    // at that position
};

// What a rank is told of the run. All outlive it.
struct RankTask {
  int rank = 0;
  const schedules::Schedule* schedule = nullptr;
  const schedules::Flow* flow = nullptr;
  const Routes* routes = nullptr;
  RankWork* work = nullptr;
  Transport* transport = nullptr;
  Stop* stop = nullptr;
  Standing* standing = nullptr;
  bool records = true;  // else what happened is not written down, and no clock is read
};

// Returns when all is done, or, with what happened so far, when the run was stopped. A step that
// fails stops the run with the rank, the action and the step's error.
RankRecord RunRank(const RankTask& task);

// "rank 3, action 17 of 42, 2F5", or "rank 3, the step's end".
std::string Place(const schedules::Schedule& schedule, int rank, int32_t action);
std::string Place(int rank, int32_t action, int32_t actions, const schedules::Action& now);

// Runs a step. An exception of a kernel or of memory fails as any other failure does.
Status Call(const Step& step);

// An order that would deadlock or is incomplete is refused before anything starts.
Status Sound(const schedules::Schedule& schedule);

}  // namespace pipescope::executor
