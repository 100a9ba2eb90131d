#include "kernels/executor/processors.h"

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "kernels/timing.h"

namespace pipescope::executor {
namespace {

// "0-1" or "0,32" of the system's table; the processor itself where there is none.
std::string ReadCore(int processor) {
  std::string core;
  std::ifstream("/sys/devices/system/cpu/cpu" + std::to_string(processor) +
                "/topology/thread_siblings_list") >>
      core;
  return core.empty() ? std::to_string(processor) : core;
}

// It stays as it is: read once.
std::string CoreOf(int processor) {
  static std::mutex mutex;
  static auto& cores = *new std::map<int, std::string>;
  const std::lock_guard lock(mutex);
  const auto [at, added] = cores.try_emplace(processor);
  if (added) at->second = ReadCore(processor);
  return at->second;
}

}  // namespace

std::vector<int> Processors() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  // Fails on machines of more processors than the set holds: then nobody is bound.
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return {};
  std::map<std::string, int> threads;  // of a core, so far
  std::vector<std::pair<int, int>> order;
  for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (!CPU_ISSET(processor, &allowed)) continue;
    order.emplace_back(threads[CoreOf(processor)]++, processor);
  }
  std::sort(order.begin(), order.end());
  std::vector<int> processors;
  for (const auto& [thread, processor] : order) processors.push_back(processor);
  return processors;
}

int ProcessorsOfMachine() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

int ProcessorCount() {
  const auto count = static_cast<int>(Processors().size());
  return count > 0 ? count : ProcessorsOfMachine();
}

std::vector<int> ProcessorsOf(const std::vector<int>& all, int rank, int ranks) {
  std::vector<int> own;
  if (static_cast<size_t>(ranks) > all.size()) return own;
  for (size_t i = static_cast<size_t>(rank); i < all.size(); i += static_cast<size_t>(ranks)) {
    own.push_back(all[i]);
  }
  return own;
}

void Bind(const std::vector<int>& processors) {
  if (processors.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int processor : processors) CPU_SET(processor, &set);
  // A processor may have been taken away since: the thread then stays where it may run.
  (void)pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

void AskForShortTurns() {
  // As the system has it; the C library has no name for it.
  struct {
    uint32_t size = 48, policy = 0;
    uint64_t flags = 0;
    int32_t nice = 0;
    uint32_t priority = 0;
    uint64_t runtime = 0, deadline = 0, period = 0;
  } attributes;
  constexpr uint64_t kLeastTurn = 100'000;  // ns
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0) return;
  if (attributes.policy != SCHED_OTHER && attributes.policy != SCHED_BATCH) return;
  attributes.runtime = kLeastTurn;
  // An older system takes no notice.
  (void)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

bool ComputeHere(const Works& works) {
  return std::all_of(works.begin(), works.end(),
                     [](const auto& work) { return work->computes_here(); });
}

std::unique_ptr<kernels::Turns> MakeTurns(const Works& works, int ranks) {
  if (ranks <= ProcessorCount() || !ComputeHere(works)) return nullptr;
  std::vector<int> processors = Processors();
  // Of a machine whose processors nobody is bound to there are as many without a number.
  if (processors.empty()) processors.assign(static_cast<size_t>(ProcessorCount()), -1);
  return std::make_unique<kernels::Turns>(processors, kThreadsOfRank * ranks);
}

void CoolCaches(const std::vector<int>& processors) {
  std::vector<std::thread> threads;
  for (const int processor : processors) {
    threads.emplace_back([processor] {
      Bind({processor});
      kernels::CoolCaches();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace pipescope::executor
