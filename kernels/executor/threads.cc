#include "kernels/executor/threads.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <numeric>

#include "kernels/executor/mailboxes.h"
#include "kernels/executor/processors.h"
#include "kernels/executor/rank_run.h"
#include "kernels/executor/spin.h"
#include "kernels/executor/worker.h"
#include "kernels/turns.h"
#include "sim/base/quantity.h"

namespace pipescope::executor {
namespace {

// Counts ranks that are done, and tells the watcher.
struct Finish {
  std::mutex mutex;
  std::condition_variable changed;
  int ranks = 0;
};

int64_t StepsRun(const std::vector<Standing>& standings) {
  int64_t sum = 0;
  for (const Standing& standing : standings) sum += standing.steps_run.load();
  return sum;
}

std::string Standings(const schedules::Schedule& schedule, const std::vector<Standing>& standings) {
  std::string text;
  for (size_t r = 0; r < standings.size(); ++r) {
    text += "\n  " + Place(schedule, static_cast<int>(r), standings[r].action.load());
  }
  return text;
}

// Returns when all ranks have finished, having stopped them where nothing moved for too long.
void Watch(const schedules::Schedule& schedule, const std::vector<Standing>& standings,
           const Works& works, const ThreadOptions& options, kernels::Turns* turns, Finish& finish,
           Stop& stop) {
  int64_t seen = -1;
  Clock::time_point since = Clock::now();
  std::unique_lock lock(finish.mutex);
  while (finish.ranks < schedule.ranks) {
    finish.changed.wait_for(lock, kPatience);
    if (stop.stopped()) {
      for (const auto& work : works) work->Cancel();
      if (turns != nullptr) turns->Tell();
    }
    const int64_t now = StepsRun(standings);
    if (now != seen) {
      seen = now;
      since = Clock::now();
    } else if (Clock::now() - since > options.patience) {
      stop.Fail("no rank has got anywhere for " +
                Format(Duration(options.patience.count() * 1'000'000'000)) + "; they stand at" +
                Standings(schedule, standings));
    }
  }
}

// A thread for each rank, which runs as soon as it has a processor.
std::vector<Worker> StartRanks(int ranks, kernels::Turns* turns,
                               const std::function<void(size_t rank)>& run) {
  const std::vector<int> processors = Processors();
  std::vector<Worker> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back(kThreadsOfRank * rank,
                         [own = ProcessorsOf(processors, rank, ranks), turns, run, rank] {
                           Bind(own);
                           const kernels::Turns::Seat seat(turns);
                           run(static_cast<size_t>(rank));
                         });
  }
  return threads;
}

}  // namespace

std::vector<int> ThreadCrew::RanksOf(int ranks) const {
  std::vector<int> all(static_cast<size_t>(ranks));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

void ThreadCrew::OnRanks(const Works& works, int ranks,
                         const std::function<void(size_t place)>& run) {
  for (Worker& thread : StartRanks(ranks, TurnsFor(works, ranks), run)) thread.Join();
}

int ThreadCrew::processors() const { return ProcessorCount(); }

Result<Run> RunOnThreads(const schedules::Schedule& schedule, const Works& works,
                         const ThreadOptions& options) {
  PIPESCOPE_CHECK(works.size() == static_cast<size_t>(schedule.ranks));
  if (Status sound = Sound(schedule); !sound) return Fail(sound.error());
  const schedules::Flow flow = schedules::BuildFlow(schedule);
  const Routes routes = RoutesOf(schedule, flow);
  Stop stop;
  const bool awake = options.may_wait_awake && MayWaitAwake(schedule.ranks, ProcessorCount());
  Mailboxes mailboxes(schedule.ranks, stop, awake);
  std::vector<Standing> standings(works.size());
  std::vector<RankRecord> records(works.size());
  Finish finish;
  std::atomic<int> there = 0;
  const auto turns = options.may_take_turns ? MakeTurns(works, schedule.ranks) : nullptr;
  const auto run = [&](size_t r) {
    ++there;
    if (awake) WaitAwake([&] { return there == schedule.ranks; });
    records[r] = RunRank({static_cast<int>(r), &schedule, &flow, &routes, works[r].get(),
                          &mailboxes, &stop, &standings[r], options.records});
    const std::lock_guard lock(finish.mutex);
    ++finish.ranks;
    finish.changed.notify_all();
  };
  std::vector<Worker> threads = StartRanks(schedule.ranks, turns.get(), run);
  Watch(schedule, standings, works, options, turns.get(), finish, stop);
  for (Worker& thread : threads) thread.Join();
  if (stop.stopped()) return Fail(stop.message());
  if (!options.records) return Run();
  for (RankRecord& record : records) {
    if (Status asked = AskDevice(record); !asked) return Fail(asked.error());
  }
  TimeMessages(flow, records);
  return Run{MakeTimeline(schedule, flow, works.front()->labels(), records)};
}

}  // namespace pipescope::executor
