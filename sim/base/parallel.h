// The same work for many items, on several threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

namespace pipescope {

// Processors of this machine, at least 1.
int DefaultJobs();

// Calls work(0) to work(count - 1), each once, on at most `jobs` threads; threads take the next
// item in order. Where `stop` turns true no further item is begun, and those begun are finished.
void ParallelFor(int jobs, int64_t count, const std::function<void(int64_t)>& work,
                 const std::atomic<bool>* stop = nullptr);

}  // namespace pipescope
