// Waiting awake: a thread that blocks is woken late, one that looks again and again is not.
//
// On a machine with a processor for each thread a rank that waits for a message looks for it for
// kAwake before it blocks: from a halted processor of a virtual machine it would come back 3 to 30
// us later, now soon and now late, and a step of a small model has a hundred such messages. NCCL's
// kernels wait in the same way. It does not offer the processor to others between two looks: where
// there are any it would get it back milliseconds later, while blocking costs it microseconds.
#pragma once

#include <chrono>

namespace pipescope::executor {

inline constexpr std::chrono::milliseconds kAwake{2};

// Whether that many threads may wait awake without taking processors from those that work.
inline bool MayWaitAwake(int threads, int processors) { return threads <= processors; }

// Until `ready`, or for kAwake.
template <class Ready>
void WaitAwake(const Ready& ready) {
  const auto start = std::chrono::steady_clock::now();
  while (!ready() && std::chrono::steady_clock::now() - start < kAwake) {
  }
}

}  // namespace pipescope::executor
