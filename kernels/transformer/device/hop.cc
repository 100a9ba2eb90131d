// How long a message is on its way, of rank.h's DeviceRanks.
//
//   one process     between events of two queues: the message itself is copied by a step of the
//                   taker's
//   processes       a message of the model's size from rank 0 to rank 1 and back, by events of rank
//                   0's compute queue: half of it. That queue is kept busy before, so that both
//                   hosts have given their devices all of it when it starts, as they have in a run
//
// Of kHops the lowest decile: what is longer has met something else.
#include <algorithm>

#include "kernels/transformer/device/parcels.h"
#include "kernels/transformer/device/rank.h"

namespace pipescope::transformer::device {
namespace {

constexpr int kHops = 50;
constexpr double kAhead = 500e-6;  // seconds for the hosts: letters of MPI take microseconds

double Decile(std::vector<double> hops) {
  std::sort(hops.begin(), hops.end());
  return std::max(0.0, hops[kHops / 10]);
}

Result<double> Between(const EventPtr& from, const EventPtr& to) {
  if (from == nullptr || to == nullptr) return Fail("a device's event was refused");
  const auto begin = from->Seconds(), end = to->Seconds();
  if (!begin || !end) return Fail((begin ? end : begin).error());
  return *end - *begin;
}

// Zeros of a block take long enough, a number of times.
class Busy {
 public:
  static Result<Busy> Make(const Block& block, int64_t bytes, Kernels& queue) {
    queue.Zero(block->as<void>(), bytes);  // the first may be slow
    const EventPtr begin = queue.Record();
    queue.Zero(block->as<void>(), bytes);
    const EventPtr end = queue.Record();
    const auto each = Between(begin, end);
    if (!each) return Fail(each.error());
    return Busy{block, bytes,
                static_cast<int>(std::clamp(kAhead / std::max(*each, 1e-9), 1., 1e3))};
  }
  void Start(Kernels& queue) const {
    for (int i = 0; i < times; ++i) queue.Zero(block->as<void>(), bytes);
  }

  Block block;
  int64_t bytes = 0;
  int times = 1;
};

Result<double> ThereAndBack(Parcels& parcels, const Busy& busy, Kernels& queue) {
  busy.Start(queue);
  const EventPtr begin = queue.Record();
  if (auto ok = parcels.Send(1, "there", busy.block, busy.bytes, begin); !ok) {
    return Fail(ok.error());
  }
  const auto back = parcels.Take(1, "back");
  if (!back) return Fail(back.error());
  queue.Wait(back->ready);
  const EventPtr end = queue.Record();
  if (auto ok = parcels.Finish(); !ok) return Fail(ok.error());
  return Between(begin, end);
}

Status SendBack(Parcels& parcels) {
  const auto there = parcels.Take(0, "there");
  if (!there) return Fail(there.error());
  const auto& [block, bytes, ready] = *there;
  if (auto ok = parcels.Send(0, "back", block, bytes, ready); !ok) return ok;
  return parcels.Finish();
}

}  // namespace

Result<double> DeviceRanks::MeasureHop(const ModelConfig& model, executor::Crew& crew) {
  if (crew.post() == nullptr) return HopHere();
  auto hop = HopBetween(2 * model.tokens * model.hidden, crew);
  if (!hop) crew.EndFor(hop.error().message);
  return hop;
}

Result<double> DeviceRanks::HopHere() {
  auto one = open_(0), other = open_(0);
  for (const auto* device : {&one, &other}) {
    if (!*device) return Fail(device->error());
  }
  std::vector<double> hops;
  for (int i = 0; i < kHops; ++i) {
    other->compute->Finish();  // it has nothing else to do
    const EventPtr given = one->compute->Record();
    other->compute->Wait(given);
    const EventPtr taken = other->compute->Record();
    if (auto ok = other->compute->Finish(); !ok) return Fail(ok.error());
    const auto hop = Between(given, taken);
    if (!hop) return Fail(hop.error());
    hops.push_back(*hop);
  }
  return Decile(std::move(hops));
}

Result<double> DeviceRanks::HopBetween(int64_t bytes, executor::Crew& crew) {
  const int rank = crew.post()->rank();
  if (crew.post()->ranks() < 2 || rank > 1) return 0;
  auto device = open_(rank);
  if (!device) return Fail(device.error());
  Links& links = LinksOf(crew);
  const std::set<LinkName> both = {{0, 1, LinkLane::kCompute}, {1, 0, LinkLane::kCompute}};
  if (auto ok = links.Connect(both); !ok) return Fail(ok.error());
  const auto pool = std::make_shared<Pool>(*device->memory);
  const Block block = pool->Allocate(bytes, *device->compute);
  const auto busy = Busy::Make(block, bytes, *device->compute);
  if (!busy) return Fail(busy.error());
  Parcels parcels(*crew.post(), links, LinkLane::kCompute, *device->memory);
  std::vector<double> hops;
  for (int i = 0; i < kHops; ++i) {
    if (rank == 1) {
      if (auto ok = SendBack(parcels); !ok) return Fail(ok.error());
      continue;
    }
    const auto both_ways = ThereAndBack(parcels, *busy, *device->compute);
    if (!both_ways) return Fail(both_ways.error());
    hops.push_back(*both_ways / 2);
  }
  return rank == 0 ? Decile(std::move(hops)) : 0;
}

}  // namespace pipescope::transformer::device
