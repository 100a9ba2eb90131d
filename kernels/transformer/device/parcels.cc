#include "kernels/transformer/device/parcels.h"

#include <algorithm>
#include <utility>

#include "kernels/executor/numbers.h"
#include "kernels/executor/packed.h"

namespace pipescope::transformer::device {
namespace {

int32_t NumberOf(LinkLane lane) {
  return lane == LinkLane::kCompute ? executor::kParcelNumber : executor::kRowParcelNumber;
}

}  // namespace

Link& Parcels::Use(const LinkName& name) {
  used_.insert(name);
  return links_.At(name);
}

Status Parcels::Send(int to, const std::string& name, const Block& block, int64_t bytes,
                     const EventPtr& ready) {
  std::erase_if(sending_, [](const Sending& s) { return s.done == nullptr || s.done->happened(); });
  Link& link = Use({post_.rank(), to, lane_});
  link.Wait(ready);
  link.Send(block->as<void>(), bytes);
  sending_.push_back({block, link.Record()});
  executor::Packer packer;
  packer.PutList(executor::Letters(name));
  packer.Put(bytes);
  const std::string letter = packer.Take();
  return post_.Send<char>(to, NumberOf(lane_), executor::Letters(letter));
}

Status Parcels::ReceiveNext(int from) {
  const auto letter = post_.Receive<char>(from, NumberOf(lane_));
  if (!letter) return Fail(letter.error());
  const std::string words(letter->begin(), letter->end());
  executor::Unpacker unpacker(words);
  const auto name = unpacker.GetList<char>();
  const auto bytes = unpacker.Get<int64_t>();
  Link& link = Use({from, post_.rank(), lane_});
  pool_->NextAction();  // its blocks have guards alone
  Block block = pool_->Allocate(bytes, link);
  link.Receive(block->as<void>(), bytes);
  arrived_[{from, std::string(name.begin(), name.end())}].push_back(
      {std::move(block), bytes, link.Record()});
  return {};
}

Result<Parcel> Parcels::Take(int from, const std::string& name) {
  while (true) {
    if (const auto at = arrived_.find({from, name}); at != arrived_.end()) {
      Parcel parcel = std::move(at->second.front());
      at->second.pop_front();
      if (at->second.empty()) arrived_.erase(at);
      return parcel;
    }
    if (Status next = ReceiveNext(from); !next) return Fail(next.error());
  }
}

Status Parcels::Finish() {
  Status all;
  for (const LinkName& name : std::exchange(used_, {})) {
    const Status one = links_.At(name).Finish();
    if (all && !one) all = one;
  }
  sending_.clear();
  return all;
}

}  // namespace pipescope::transformer::device
