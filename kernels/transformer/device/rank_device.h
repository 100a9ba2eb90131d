// A rank's share of a device.
#pragma once

#include <memory>

#include "kernels/transformer/device/kernels.h"

namespace pipescope::transformer::device {

// Two queues whose work may run side by side. The memory outlives them.
struct RankDevice {
  Memory* memory = nullptr;
  std::unique_ptr<Kernels> compute, communication;
};

}  // namespace pipescope::transformer::device
