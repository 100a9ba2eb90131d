// Who runs which role when, on a CPU. Roles never wait, so any number of them may share a thread.
//
//   threads  each rank has `threads`; each goes round its roles and yields when none can go on
//   drawn    one thread for all, and the next role is drawn at random from a seed: every order that
//            timing could bring may come up, and again with the same seed. When no role can go on
//            it is a deadlock, and said at once.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "kernels/exchange/ring.h"

namespace pipescope::kernels::exchange {

struct Schedule {
  int threads = 1;
  std::optional<uint64_t> drawn = {};
};

using Task = std::function<Progress()>;

// Every task once; returns whether any moved. Those that are done leave the list.
bool Round(std::vector<Task>& tasks);

// tasks[rank] until all are done. Fails on a deadlock: of threads, after 100 s in which nothing
// moved, as long as DeepEP waits.
Status RunTasks(std::vector<std::vector<Task>> tasks, const Schedule& schedule);

}  // namespace pipescope::kernels::exchange
