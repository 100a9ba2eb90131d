// A device played by the CPU: queues are threads, kernels the functions that kernels/transformer
// itself runs on a CPU, memory is the process's.
//
// With it all of a run but the kernels themselves is proven without a GPU: buffers and how long
// they live, what waits for what, weight gradients left for later, sums of copies, rows of experts.
// So that a mistake shows:
//
//   the same arithmetic    values equal a model's in BF16 on a CPU to the bit
//   queues are threads     with `jitter` they stop at random; what only host order keeps, breaks
//   memory is forgotten    what a pool hands out holds NaN until it is written
//   what is kept is read   attention's sums and a norm's scales are compared with their truth
#pragma once

#include <memory>

#include "kernels/transformer/device/rank.h"

namespace pipescope::transformer::device {

struct EmulationOptions {
  uint32_t jitter = 0;                    // its seed; 0: none
  int64_t most_bytes = int64_t{1} << 32;  // of all ranks
};

class Emulation {
 public:
  explicit Emulation(const EmulationOptions& options = {});
  ~Emulation();

  // A rank's share. The emulation outlives it.
  Result<RankDevice> Open(int rank);
  // Between ranks that are processes, each with an emulation of its own.
  Result<std::unique_ptr<Link>> OpenLink(const LinkName& name, executor::Post& post);
  // Of memory that is not given back; 0 once all ranks are gone.
  int64_t held_bytes() const;

 private:
  class Heap;
  EmulationOptions options_;
  std::unique_ptr<Heap> heap_;
};

}  // namespace pipescope::transformer::device
