#include "kernels/transformer/device/pool.h"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <utility>

namespace pipescope::transformer::device {

int64_t RoundedSize(int64_t bytes) {
  constexpr int64_t kLeast = 256;
  if (bytes <= kLeast) return kLeast;
  const int64_t power = int64_t{1} << (std::bit_width(static_cast<uint64_t>(bytes)) - 1);
  const int64_t step = std::max<int64_t>(power / 8, kLeast / 2);
  return (bytes + step - 1) / step * step;
}

BlockData::~BlockData() {
  if (pool != nullptr) pool->Return(*this);
}

Pool::~Pool() {
  for (void* data : all_) memory_.Free(data);
}

Block Pool::Allocate(int64_t bytes, Queue& queue) {
  const int64_t size = RoundedSize(bytes);
  Spare spare;
  {
    const std::lock_guard lock(mutex_);
    if (const auto at = free_.find(size); at != free_.end()) {
      spare = std::move(at->second);
      free_.erase(at);
    } else {
      auto data = memory_.Allocate(size);
      if (!data) throw std::runtime_error(data.error().ToString());
      spare.data = *data;
      all_.push_back(*data);
    }
    used_ += size;
    peak_ = std::max(peak_.load(), used_);
  }
  for (const EventPtr& guard : spare.guards) queue.Wait(guard);
  queue.Forget(spare.data, size);
  auto block = std::make_shared<BlockData>();
  block->pool = shared_from_this();
  block->data = spare.data;
  block->bytes = size;
  return block;
}

void Pool::AddGuard(const Block& block, EventPtr event) {
  const std::lock_guard lock(mutex_);
  block->guards.push_back(std::move(event));
}

void Pool::Return(BlockData& block) {
  const std::lock_guard lock(mutex_);
  resting_.emplace(block.bytes, Spare{block.data, std::move(block.guards)});
}

void Pool::NextAction() {
  const std::lock_guard lock(mutex_);
  for (const auto& [size, spare] : resting_) used_ -= size;
  free_.merge(resting_);
}

}  // namespace pipescope::transformer::device
