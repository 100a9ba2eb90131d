#include "kernels/transformer/device/emulation.h"

#include <cstdlib>
#include <map>
#include <mutex>

#include "kernels/transformer/device/emulated_kernels.h"
#include "kernels/transformer/device/emulated_link.h"
#include "sim/base/quantity.h"

namespace pipescope::transformer::device {

class Emulation::Heap : public Memory {
 public:
  explicit Heap(int64_t most) : most_(most) {}

  Result<void*> Allocate(int64_t bytes) override {
    const std::lock_guard lock(mutex_);
    if (held_ + bytes > most_) {
      return Fail("out of memory: " + Format(Bytes(bytes)) + " more than the " +
                  Format(Bytes(held_)) + " that are used of " + Format(Bytes(most_)));
    }
    void* data = std::aligned_alloc(64, static_cast<size_t>((bytes + 63) / 64 * 64));
    sizes_[data] = bytes;
    held_ += bytes;
    return data;
  }
  void Free(void* data) override {
    const std::lock_guard lock(mutex_);
    held_ -= sizes_.at(data);
    sizes_.erase(data);
    std::free(data);
  }
  int64_t held() const {
    const std::lock_guard lock(mutex_);
    return held_;
  }

 private:
  const int64_t most_;
  mutable std::mutex mutex_;
  std::map<void*, int64_t> sizes_;
  int64_t held_ = 0;
};

Emulation::Emulation(const EmulationOptions& options)
    : options_(options), heap_(std::make_unique<Heap>(options.most_bytes)) {}

Emulation::~Emulation() = default;

Result<RankDevice> Emulation::Open(int rank) {
  const auto seed = [&](uint32_t lane) {
    return options_.jitter == 0 ? 0 : options_.jitter + 2 * static_cast<uint32_t>(rank) + lane;
  };
  return RankDevice{heap_.get(), std::make_unique<EmulatedKernels>(seed(0)),
                    std::make_unique<EmulatedKernels>(seed(1))};
}

Result<std::unique_ptr<Link>> Emulation::OpenLink(const LinkName& name, executor::Post& post) {
  const auto seed = static_cast<uint32_t>(name.from + 64 * name.to);
  const uint32_t jitter = options_.jitter == 0 ? 0 : options_.jitter + seed;
  return std::unique_ptr<Link>(std::make_unique<EmulatedLink>(name, post, jitter));
}

int64_t Emulation::held_bytes() const { return heap_->held(); }

}  // namespace pipescope::transformer::device
