// The GPUs of this process as devices for rank.h.
//
//   one process       GPUs are divided among its ranks (gpu_plan.h): a rank has a whole GPU with
//                     two streams, or a green context of its share's SMs (sm_plan.h), and where it
//                     has SMs for communication another for these. What travels is handed over by
//                     events and copied by the taker, over NVLink where it is another GPU's: peer
//                     access is asked for. Copies between peers need no kernel on either side, so
//                     no SM waits for a rank; ncclSend's would
//   a process a rank  a whole GPU; what travels goes over NCCL (nccl_link.h), since another
//                     process's memory, of another machine perhaps, cannot be copied from
//
// GEMMs are cuBLASLt's, told how many SMs there are. Each GPU has a clock of its own
// (gpu_clock.cuh).
//
// No GPU has confirmed any of this yet: it compiles for sm_90a and its pure parts are tested. To be
// seen on one: that streams of green contexts take the runtime's events and cuBLASLt's launches, as
// FlashInfer (docs.flashinfer.ai, green_ctx) and PyTorch do it; what ranks lose to shared L2; that
// events of one GPU are waited for on another; NCCL's sends beside kernels.
//
// No CUDA header is visible here; without a toolkit, a GPU or a driver with green contexts (12.5)
// Make says so.
#pragma once

#include <memory>
#include <string>

#include "kernels/transformer/device/link.h"
#include "kernels/transformer/device/rank_device.h"

namespace pipescope::transformer::device {

struct GpuShares {
  int ranks = 1;              // of this process
  int gpus = 0;               // at most so many; 0: all of the machine
  int communication_sms = 8;  // of each rank, where ranks share a GPU
};

// A process of a job, on its machine.
struct OwnGpu {
  int local = 0, locals = 1;
  int gpus = 0;
  int communication_sms = 8;  // that a link takes at most
};

class GpuDevice {
 public:
  static Result<std::unique_ptr<GpuDevice>> Make(const GpuShares& shares);
  // Of a rank that is a process; fails where NCCL is missing. Before any other use of CUDA.
  static Result<std::unique_ptr<GpuDevice>> MakeOwn(const OwnGpu& own);
  virtual ~GpuDevice() = default;

  // A rank's queues, again at each call; it outlives them.
  virtual Result<RankDevice> Open(int rank) = 0;
  // Of MakeOwn's.
  virtual Result<std::unique_ptr<Link>> OpenLink(const LinkName& name, executor::Post& post) = 0;
  // The first GPU among all of the world.
  virtual Result<std::string> id() const = 0;
};

}  // namespace pipescope::transformer::device
