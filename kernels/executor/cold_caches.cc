#include "kernels/executor/cold_caches.h"

#include <cstddef>
#include <cstdint>
#include <thread>

#include "kernels/executor/processors.h"

namespace pipescope::executor {
namespace {

constexpr size_t kBytes = size_t{64} << 20;
constexpr size_t kLine = 64;

void ReadAll() {
  // Read by all alike; written once, since pages that never were are one page of zeros.
  static const auto& bytes = *new std::vector<char>(kBytes, 1);
  uint64_t sum = 0;
  for (size_t at = 0; at < kBytes; at += kLine) sum += static_cast<unsigned char>(bytes[at]);
  asm volatile("" : : "r"(sum) : "memory");
}

}  // namespace

void CoolCaches(const std::vector<int>& processors) {
  std::vector<std::thread> threads;
  for (const int processor : processors) {
    threads.emplace_back([processor] {
      Bind({processor});
      ReadAll();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace pipescope::executor
