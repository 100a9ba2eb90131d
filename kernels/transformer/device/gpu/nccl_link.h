// A link between two processes' GPUs: a communicator of two of NCCL's, and a stream for it.
//
//   Send      ncclSend, on the link's stream       the first process of the communicator
//   Receive   ncclRecv                             the second
//
// NCCL runs all of a communicator's operations one after the other, and a send may wait on its GPU,
// on some SMs, until it is received: hence a communicator for each direction, of its own stream,
// with at most `ctas` thread blocks (ncclConfig_t::maxCTAs). Its stream is of high priority, so
// that what is sent does not wait for SMs behind the kernels of a layer.
//
// NCCL connects two GPUs when they first send, and the host waits for that: it is done here once,
// with one byte, so that no rank's host waits for another's later (parcels.h).
//
// The driver runs streams over 8 connections unless told otherwise, where one stream's work may
// have to wait for another's: a process of a job asks for the 32 that there can be
// (CUDA_DEVICE_MAX_CONNECTIONS; CUDA programming guide, environment variables).
//
// NCCL is loaded at run time (exchange/nccl_library.h). No GPU has confirmed any of this yet.
#pragma once

#include <memory>

#include "kernels/transformer/device/gpu/share_id.h"
#include "kernels/transformer/device/link.h"

namespace pipescope::transformer::device {

class GpuClock;

// Whether NCCL is there.
Status CheckNccl();

struct NcclEnd {
  LinkId id = {};
  bool sends = false;  // else it receives
  int ctas = 1;
  std::shared_ptr<GpuClock> clock;  // of its GPU
};
// Both ends together.
Result<std::unique_ptr<Link>> OpenNcclLink(const NcclEnd& end);

}  // namespace pipescope::transformer::device
