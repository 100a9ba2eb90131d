#include "kernels/transformer/device/emulated_link.h"

#include <cstring>

#include "kernels/executor/numbers.h"

namespace pipescope::transformer::device {

int32_t EmulatedLink::number() const {
  return name_.lane == LinkLane::kCompute ? executor::kLinkNumber : executor::kRowLinkNumber;
}

void EmulatedLink::Send(const void* data, int64_t bytes) {
  thread_.Put([this, from = static_cast<const char*>(data), bytes] {
    const Status sent = post_.Send<char>(name_.to, number(), std::vector<char>(from, from + bytes));
    if (!sent) thread_.Fail(sent.error().message);
  });
}

void EmulatedLink::Receive(void* data, int64_t bytes) {
  thread_.Put([this, data, bytes] {
    const auto letter = post_.Receive<char>(name_.from, number());
    if (!letter) return thread_.Fail(letter.error().message);
    PIPESCOPE_CHECK(static_cast<int64_t>(letter->size()) == bytes);
    if (bytes > 0) std::memcpy(data, letter->data(), letter->size());
  });
}

}  // namespace pipescope::transformer::device
