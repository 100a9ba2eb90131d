// How long a message is on its way, of rank.h's DeviceRanks.
//
//   one process     from the first rank to the last, which may be on another GPU, and back: half of
//                   it. A message is copied by a step of its taker's (meeting.h), and the costs of
//                   steps have copies within a GPU: what longer ones take is the message's
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

// A rank of one process, with a message and room for another.
struct End {
  End(RankDevice& device, int64_t size)
      : queue(*device.compute),
        pool(std::make_shared<Pool>(*device.memory)),
        own(pool->Allocate(size, queue)),
        taken(pool->Allocate(size, queue)),
        bytes(size) {
    queue.Zero(own->as<void>(), bytes);
  }
  void Bring(const End& from, const EventPtr& ready) const {
    queue.Wait(ready);
    queue.CopyBytes(taken->as<void>(), from.own->as<void>(), bytes);
  }

  Kernels& queue;
  std::shared_ptr<Pool> pool;
  Block own, taken;
  int64_t bytes;
};

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

Result<double> DeviceRanks::MeasureHop(const ModelConfig& model, int ranks, executor::Crew& crew) {
  const int64_t bytes = 2 * model.tokens * model.hidden;
  if (crew.post() == nullptr) return HopHere(bytes, ranks);
  auto hop = HopBetween(bytes, crew);
  if (!hop) crew.EndFor(hop.error().message);
  return hop;
}

Result<double> DeviceRanks::HopHere(int64_t bytes, int ranks) {
  auto one = open_(0), other = open_(ranks - 1);
  for (const auto* device : {&one, &other}) {
    if (!*device) return Fail(device->error());
  }
  const End here(*one, bytes), there(*other, bytes);
  std::vector<double> hops;
  for (int i = 0; i < kHops; ++i) {
    there.queue.Finish();  // it has nothing else to do
    const EventPtr begin = here.queue.Record();
    there.Bring(here, begin);
    here.Bring(there, there.queue.Record());
    const EventPtr end = here.queue.Record();
    here.Bring(here, end);
    const EventPtr copied = here.queue.Record();
    if (auto ok = here.queue.Finish(); !ok) return Fail(ok.error());
    const auto both = Between(begin, end), copy = Between(end, copied);
    if (!both || !copy) return Fail((both ? copy : both).error());
    hops.push_back(*both / 2 - *copy);
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
