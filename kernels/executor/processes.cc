#include "kernels/executor/processes.h"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
#include <set>
#include <thread>

#include "kernels/executor/numbers.h"
#include "kernels/executor/packed.h"
#include "kernels/executor/packed_record.h"
#include "kernels/executor/post_transport.h"
#include "kernels/executor/processors.h"
#include "kernels/executor/spin.h"
#include "kernels/executor/wire_library.h"

namespace pipescope::executor {
namespace {

constexpr int kPings = 8;
// Who takes turns looks for letters so often, where nobody pokes it: of its own machine, or of
// others.
constexpr std::chrono::microseconds kFromHere{1000}, kFromAfar{100};

std::string PackAll(const std::vector<int>& numbers) {
  Packer packer;
  packer.PutList(numbers);
  return packer.Take();
}

}  // namespace

Result<std::unique_ptr<ProcessCrew>> ProcessCrew::Join(const ProcessPlace& place,
                                                       const ProcessOptions& options,
                                                       Vigil& vigil) {
  auto wire = OpenWire(options.library);
  if (!wire) return Fail(wire.error());
  if ((*wire)->rank() != place.rank || (*wire)->ranks() != place.ranks) {
    return Fail(
        fmt::format("MPI says rank {} of {}, the environment rank {} of {}: expected the "
                    "mpirun of the MPI that this was built with",
                    (*wire)->rank(), (*wire)->ranks(), place.rank, place.ranks));
  }
  if (place.ranks_here > ProcessorsOfMachine()) AskForShortTurns();  // before there are threads
  auto crew = std::make_unique<ProcessCrew>(place, options, *std::move(wire), vigil);
  // Nobody can fail, and end the job, while others still start: see kLinger in keeper.cc.
  if (const Status met = crew->Meet(); !met) {
    crew->EndIfStopped();
    return Fail(met.error());
  }
  if (const Status counted = crew->CountProcessors(); !counted) return Fail(counted.error());
  if (const Status shared = crew->ShareTurns(); !shared) return Fail(shared.error());
  return crew;
}

ProcessCrew::ProcessCrew(const ProcessPlace& place, const ProcessOptions& options,
                         std::unique_ptr<Wire> wire, Vigil& vigil)
    : place_(place),
      vigil_(vigil),
      post_(std::move(wire), stop_, MayWaitAwake(place.ranks_here, ProcessorsOfMachine())),
      offsets_(static_cast<size_t>(place.ranks)),
      through_(static_cast<size_t>(place.ranks)),
      watch_(post_, stop_, vigil, options.patience) {
  // Naps of 20 us would take 70 otherwise.
  prctl(PR_SET_TIMERSLACK, 1UL);
}

// Machines may differ, and all processes must decide alike.
Status ProcessCrew::CountProcessors() {
  const auto counts = Everywhere(PackAll({ProcessorsOfMachine()}));
  if (!counts) return Fail(counts.error());
  fewest_processors_ = ProcessorsOfMachine();
  for (const std::string& words : *counts) {
    fewest_processors_ = std::min(fewest_processors_, Unpacker(words).GetList<int>().front());
  }
  return {};
}

// The first process of each machine has the memory; all have turns, or none.
Status ProcessCrew::ShareTurns() {
  if (place_.ranks_here <= fewest_processors_) return {};
  const int first = place_.rank - place_.rank % place_.ranks_here;
  const auto processors = Everywhere(PackAll(Processors()));
  if (!processors) return Fail(processors.error());
  std::set<int> of_machine;
  for (int r = first; r < first + place_.ranks_here; ++r) {
    const std::string& words = (*processors)[static_cast<size_t>(r)];
    for (const int processor : Unpacker(words).GetList<int>()) of_machine.insert(processor);
  }
  if (place_.rank == first && !of_machine.empty()) {
    turns_ = kernels::Turns::Make({of_machine.begin(), of_machine.end()},
                                  kThreadsOfRank * place_.ranks_here, place_.ranks,
                                  place_.ranks_here < place_.ranks ? kFromAfar : kFromHere);
  }
  const auto paths = Everywhere(turns_ == nullptr ? "" : turns_->path());
  if (!paths) return Fail(paths.error());
  if (place_.rank != first) {
    turns_ = kernels::Turns::Open((*paths)[static_cast<size_t>(first)]);
  }
  const auto shared = Everywhere(turns_ == nullptr ? "" : "shares");
  if (!shared) return Fail(shared.error());
  if (std::count(shared->begin(), shared->end(), "") > 0) turns_ = nullptr;
  return {};
}

Result<std::vector<std::string>> ProcessCrew::Everywhere(const std::string& words) {
  const auto all = Gather(words);
  if (!all) return Fail(all.error());
  Packer packer;
  for (const std::string& of_rank : *all) packer.PutList(Letters(of_rank));
  const auto shared = Share(packer.Take());
  if (!shared) return Fail(shared.error());
  Unpacker unpacker(*shared);
  std::vector<std::string> everyones;
  for (int r = 0; r < place_.ranks; ++r) everyones.push_back(Words(unpacker.GetList<char>()));
  return everyones;
}

kernels::Turns* ProcessCrew::TurnsFor(const Works& works, int) {
  return ComputeHere(works) ? turns_.get() : nullptr;
}

int ProcessCrew::processors() const {
  return fewest_processors_ * (place_.ranks / place_.ranks_here);
}

Result<std::vector<std::string>> ProcessCrew::Gather(const std::string& words) {
  std::vector<std::string> all;
  if (!leads()) {
    if (Status sent = post_.Send<char>(0, kGatherNumber, Letters(words)); !sent) {
      return Fail(sent.error());
    }
    return all;
  }
  all.push_back(words);
  for (int r = 1; r < place_.ranks; ++r) {
    const auto letter = post_.Receive<char>(r, kGatherNumber);
    if (!letter) return Fail(letter.error());
    all.push_back(Words(*letter));
  }
  return all;
}

Result<std::string> ProcessCrew::Share(const std::string& words) {
  if (!leads()) {
    const auto letter = post_.Receive<char>(0, kShareNumber);
    if (!letter) return Fail(letter.error());
    return Words(*letter);
  }
  for (int r = 1; r < place_.ranks; ++r) {
    if (Status sent = post_.Send<char>(r, kShareNumber, Letters(words)); !sent) {
      return Fail(sent.error());
    }
  }
  return words;
}

void ProcessCrew::Through() {
  through_[static_cast<size_t>(place_.rank)] = true;
  for (int r = 0; r < place_.ranks; ++r) {
    if (r == place_.rank) continue;
    if (const Status sent = post_.Send<char>(r, kThroughNumber, std::vector<char>()); !sent) {
      stop_.Fail(sent.error().message);
    }
  }
}

bool ProcessCrew::AllThrough() {
  for (int r = 0; r < place_.ranks; ++r) {
    const auto i = static_cast<size_t>(r);
    through_[i] = through_[i] || post_.Take<char>(r, kThroughNumber);
  }
  const bool all = std::find(through_.begin(), through_.end(), false) == through_.end();
  if (all) through_.assign(through_.size(), false);
  return all || stop_.stopped();
}

Status ProcessCrew::SetClocks() {
  accuracy_ = Duration();
  if (!leads()) return Pong();
  for (int r = 1; r < place_.ranks; ++r) {
    if (Status ok = Ping(r); !ok) return ok;
  }
  return {};
}

Status ProcessCrew::Ping(int rank) {
  std::chrono::nanoseconds fastest = std::chrono::hours(1);
  for (int i = 0; i < kPings; ++i) {
    const auto sent = Clock::now();
    if (Status ok = post_.Send<char>(rank, kPingNumber, std::vector<char>()); !ok) return ok;
    const auto letter = post_.Receive<char>(rank, kPongNumber, true);
    const auto back = Clock::now();
    if (!letter) return Fail(letter.error());
    if (back - sent >= fastest) continue;
    fastest = back - sent;
    const std::string words = Words(*letter);
    const Clock::time_point theirs(Unpacker(words).Get<Clock::duration>());
    offsets_[static_cast<size_t>(rank)] = theirs - (sent + fastest / 2);
  }
  // Processes of one machine read one clock: an offset within the accuracy is none.
  auto& offset = offsets_[static_cast<size_t>(rank)];
  if (rank < place_.ranks_here && std::chrono::abs(offset) <= fastest / 2) offset = {};
  accuracy_ = std::max(accuracy_, Duration(fastest.count() * 1000 / 2));
  return {};
}

Status ProcessCrew::Pong() {
  for (int i = 0; i < kPings; ++i) {
    // The first may be long in coming: it waits for the ranks before.
    if (const auto ping = post_.Receive<char>(0, kPingNumber, i > 0); !ping) {
      return Fail(ping.error());
    }
    Packer packer;
    packer.Put(Clock::now().time_since_epoch());
    if (Status ok = post_.Send<char>(0, kPongNumber, Letters(packer.Take())); !ok) return ok;
  }
  return {};
}

void ProcessCrew::OnRanks(const Works& works, int ranks,
                          const std::function<void(size_t place)>& run) {
  kernels::Turns* const turns = TurnsFor(works, ranks);
  const kernels::Turns::Seat seat(turns);
  vigil_.pushes = turns != nullptr;
  run(0);
  vigil_.pushes = false;
}

Result<Run> ProcessCrew::RunStep(const schedules::Schedule& schedule, const Works& works) {
  PIPESCOPE_CHECK(works.size() == 1 && schedule.ranks == place_.ranks);
  if (Status sound = Sound(schedule); !sound) return Fail(sound.error());
  const schedules::Flow flow = schedules::BuildFlow(schedule);
  const Routes routes = RoutesOf(schedule, flow);
  PostTransport transport(post_);
  Standing& standing = vigil_.standing;
  standing.action = 0;
  standing.actions = 1;
  if (Status set = SetClocks(); !set) return Fail(set.error());
  if (Status met = Meet(); !met) return Fail(met.error());
  const char* const phase = vigil_.phase.exchange(nullptr);
  const RankTask task{place_.rank,         &schedule,  &flow,  &routes,
                      works.front().get(), &transport, &stop_, &standing};
  RankRecord record;
  OnRanks(works, schedule.ranks, [&](size_t) { record = RunRank(task); });
  if (!stop_.stopped()) {
    if (Status asked = AskDevice(record); !asked) stop_.Fail(asked.error().message);
  }
  if (stop_.stopped()) return Fail(stop_.message());
  vigil_.phase = phase;
  const auto all = Gather(PackRecord(record, transport.sent()));
  if (!all) return Fail(all.error());
  if (!leads()) return Run();
  std::vector<ProcessRecord> records;
  for (size_t r = 0; r < all->size(); ++r) records.push_back(UnpackRecord((*all)[r], offsets_[r]));
  auto joined = JoinRecords(records);
  TimeMessages(flow, joined);
  return Run{MakeTimeline(schedule, flow, works.front()->labels(), joined)};
}

}  // namespace pipescope::executor
