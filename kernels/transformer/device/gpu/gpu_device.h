// One GPU whose SMs are divided among ranks, or one GPU for each: devices for rank.h.
//
//   one GPU       a green context a rank (sm_plan.h), and where it has SMs for communication
//   another
//                 for these; its compute and communication streams are theirs. Memory is the GPU's:
//                 ranks hand blocks over by events and copies
//   several       rank r on GPU r modulo their number, with a whole GPU's SMs; the others' memory
//   by
//                 peer access
//
// GEMMs are cuBLASLt's, told how many SMs there are. All events are on one clock: that of the GPU;
// with several, each GPU's own, put together where its first event was recorded (some microseconds
// off).
//
// No GPU has confirmed any of this yet: it compiles for sm_90a and its pure parts are tested. To be
// seen on one: that streams of green contexts take the runtime's events and cuBLASLt's launches, as
// FlashInfer (docs.flashinfer.ai, green_ctx) and PyTorch do it; and what ranks lose to shared L2.
//
// No CUDA header is visible here; without a toolkit, a GPU or a driver with green contexts (12.5)
// Make says so.
#pragma once

#include <memory>

#include "kernels/transformer/device/gpu/sm_plan.h"
#include "kernels/transformer/device/rank_device.h"

namespace pipescope::transformer::device {

struct GpuShares {
  int ranks = 1;
  int gpus = 1;
  int communication_sms = 8;  // of each rank, where ranks share a GPU
};

class GpuDevice {
 public:
  // Ranks on the first `gpus` GPUs, which must be 1 or as many as ranks.
  static Result<std::unique_ptr<GpuDevice>> Make(const GpuShares& shares);
  virtual ~GpuDevice() = default;

  // A rank's queues, again at each call; it outlives them.
  virtual Result<RankDevice> Open(int rank) = 0;
  virtual int compute_sms() const = 0;
};

}  // namespace pipescope::transformer::device
