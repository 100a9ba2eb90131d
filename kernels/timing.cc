#include "kernels/timing.h"

#include <malloc.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace pipescope::kernels {

void CoolCaches() {
  constexpr size_t kBytes = size_t{64} << 20;
  // Once, for all threads: so many fresh pages take long.
  static const auto& words = *new std::vector<int64_t>(kBytes / sizeof(int64_t), 1);
  int64_t sum = 0;
  for (const int64_t word : words) sum += word;
  asm volatile("" : : "r"(sum) : "memory");
}

void KeepMemory() {
  // Those of threads but the first shrink by 64 MiB at a time, unless they are to have room.
  mallopt(M_TOP_PAD, 256 << 20);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
}

}  // namespace pipescope::kernels
