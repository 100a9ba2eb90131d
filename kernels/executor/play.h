// One rank's actions with nobody else: what it takes is there at once, what it gives is dropped.
//
// The same loop that runs a rank in a pipeline (rank_run.h), so that steps alone meet the same
// hands and the same memory as in a run, but for waiting.
#pragma once

#include <vector>

#include "kernels/executor/post.h"
#include "kernels/executor/work.h"
#include "schedules/schedule.h"

namespace pipescope::executor {

// What stages take from others; the first takes no activation, the last no gradient.
struct Handed {
  int stages = 1;
  Payload activation, gradient;
};

// The actions, then the step's end of `work`. Fails as a step does; `rank` is what an error says.
// `post`, where there is one: what steps send by it is helped along as in a run.
Status PlayAlone(int rank, const std::vector<schedules::Action>& actions, const Handed& handed,
                 RankWork& work, Post* post);

}  // namespace pipescope::executor
