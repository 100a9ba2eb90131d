// A fixed piece of work that every benchmark binary runs beside its own: half arithmetic and
// branches, half memory that caches do not hold. What a speed is told against where there is no
// other program to compare it with (speeds.py), so that a slower machine is not a slower program.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

namespace pipescope {
namespace {

uint64_t Next(uint64_t& state) {  // splitmix64, Steele, Lea and Flood 2014
  uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

void BM_Reference(benchmark::State& state) {
  constexpr size_t kSorted = 1 << 16, kChased = 1 << 22, kHops = 1 << 16;
  uint64_t seed = 1;
  std::vector<uint64_t> values(kSorted);
  std::vector<uint32_t> next(kChased);
  std::iota(next.begin(), next.end(), 0U);
  for (size_t i = kChased - 1; i > 0; --i) std::swap(next[i], next[Next(seed) % i]);  // one cycle
  uint32_t at = 0;
  for (auto _ : state) {
    for (uint64_t& value : values) value = Next(seed);
    std::sort(values.begin(), values.end());
    for (size_t i = 0; i < kHops; ++i) at = next[at];
    benchmark::DoNotOptimize(at);
    benchmark::DoNotOptimize(values.data());
  }
}
BENCHMARK(BM_Reference)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace pipescope
