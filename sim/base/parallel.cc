#include "sim/base/parallel.h"

#include <algorithm>
#include <thread>
#include <vector>

namespace pipescope {

int DefaultJobs() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

void ParallelFor(int jobs, int64_t count, const std::function<void(int64_t)>& work,
                 const std::atomic<bool>* stop) {
  std::atomic<int64_t> next = 0;
  const auto run = [&] {
    while (stop == nullptr || !*stop) {
      const int64_t item = next.fetch_add(1);
      if (item >= count) return;
      work(item);
    }
  };
  std::vector<std::thread> threads;
  const int64_t helpers = std::min<int64_t>(jobs, count) - 1;
  for (int64_t i = 0; i < helpers; ++i) threads.emplace_back(run);
  run();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace pipescope
