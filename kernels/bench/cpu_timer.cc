#include "kernels/bench/cpu_timer.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>

#include "kernels/timing.h"

namespace pipescope::kernels::bench {
namespace {

constexpr int64_t kLarge = int64_t{64} << 20;  // more than the last-level cache a core can use

using Clock = std::chrono::steady_clock;

Duration Since(Clock::time_point begin) {
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin);
  return Duration(1000 * std::max<int64_t>(1, ns.count()));
}

// Makes the compiler believe that memory was read and written.
void Touch(const void* data) { asm volatile("" : : "r"(data) : "memory"); }

using Lanes = float __attribute__((vector_size(16)));

constexpr int64_t kMultiplyAdds = 1'000'000;  // some 5 ms

// 12 chains hide the latency of an addition and a multiplication, and 12 sums stay in registers.
Duration MultiplyAdds(int64_t rounds) {
  constexpr int kChains = 12;
  Lanes sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = Lanes{} + static_cast<float>(i);
  Lanes factor = Lanes{} + 0.999F, term = Lanes{} + 0.5F;
  const auto begin = Clock::now();
  for (int64_t r = 0; r < rounds; ++r) {
    for (Lanes& sum : sums) sum = sum * factor + term;
  }
  const Duration time = Since(begin);
  Touch(sums);
  return time;
}

FlopRate MatrixPeak() {
  std::vector<Duration> each;
  for (int i = 0; i < 5; ++i) each.push_back(MultiplyAdds(kMultiplyAdds));
  return Flops(static_cast<double>(kMultiplyAdds) * 12 * 4 * 2) /
         *std::min_element(each.begin(), each.end());
}

// What the last processor took.
Duration OnAllProcessors() {
  std::vector<Duration> each(std::max(1U, std::thread::hardware_concurrency()));
  std::vector<std::thread> threads;
  for (Duration& time : each) {
    threads.emplace_back([&time] { time = MultiplyAdds(kMultiplyAdds); });
  }
  for (std::thread& thread : threads) thread.join();
  return *std::max_element(each.begin(), each.end());
}

}  // namespace

std::vector<Duration> TimeOnCpu(const std::function<void()>& run, const Runs& runs) {
  run();
  std::vector<Duration> each;
  Duration all;
  while (static_cast<int>(each.size()) < runs.least ||
         (static_cast<int>(each.size()) < runs.most && all < runs.enough)) {
    CoolCaches();
    const auto begin = Clock::now();
    run();
    each.push_back(Since(begin));
    all += each.back();
  }
  return each;
}

TimeRuns OnCpu(std::function<void()> run) {
  return [run = std::move(run)](const Runs& runs) -> Result<std::vector<Duration>> {
    return TimeOnCpu(run, runs);
  };
}

TimeRuns CopyOnCpu(Bytes bytes) {
  return [bytes](const Runs& runs) -> Result<std::vector<Duration>> {
    std::vector<char> from(static_cast<size_t>(bytes.value() / 2 + 1), 1), to(from.size());
    const auto copy = [&] {
      std::memcpy(to.data(), from.data(), from.size());
      Touch(to.data());
    };
    return TimeOnCpu(copy, runs);
  };
}

Trial BesideCopy(std::function<void()> run, Flops flops, Bytes bytes) {
  return {OnCpu(std::move(run)), CopyOnCpu(bytes), flops, bytes};
}

Peaks MeasureCpuPeaks() {
  const Bytes both(2 * kLarge);
  const auto each = CopyOnCpu(both)({});
  return {both / Median(*each), MatrixPeak(),
          "one thread: a copy of 64 MiB; FP32 multiply-adds in registers"};
}

double PaceOfCpu() {
  return Median({OnAllProcessors(), OnAllProcessors(), OnAllProcessors()}).seconds();
}

std::string CpuName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "CPU";
}

Duration Median(std::vector<Duration> each) {
  PIPESCOPE_CHECK(!each.empty());
  std::sort(each.begin(), each.end());
  const size_t half = each.size() / 2;
  if (each.size() % 2 == 1) return each[half];
  return Duration((each[half - 1].picoseconds() + each[half].picoseconds()) / 2);
}

}  // namespace pipescope::kernels::bench
