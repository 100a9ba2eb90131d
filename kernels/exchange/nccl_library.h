// NCCL's functions, found when they are needed: a program that never asks needs no NCCL.
#pragma once

#include <nccl.h>
#include <nccl_device.h>

#include "sim/base/result.h"

namespace pipescope::kernels::exchange {

struct NcclLibrary {
  decltype(&::ncclGetErrorString) error = nullptr;
  decltype(&::ncclGetVersion) version = nullptr;
  decltype(&::ncclGetUniqueId) unique_id = nullptr;
  decltype(&::ncclCommInitRank) init = nullptr;
  decltype(&::ncclCommInitRankConfig) init_config = nullptr;
  decltype(&::ncclCommDestroy) destroy = nullptr;
  decltype(&::ncclCommAbort) abort = nullptr;
  decltype(&::ncclCommGetAsyncError) async_error = nullptr;
  decltype(&::ncclSend) send = nullptr;
  decltype(&::ncclRecv) receive = nullptr;
  decltype(&::ncclGroupStart) begin_group = nullptr;
  decltype(&::ncclGroupEnd) end_group = nullptr;
  decltype(&::ncclMemAlloc) allocate = nullptr;
  decltype(&::ncclMemFree) free = nullptr;
  decltype(&::ncclCommWindowRegister) add_window = nullptr;
  decltype(&::ncclCommWindowDeregister) remove_window = nullptr;
  decltype(&::ncclDevCommCreate) device_comm = nullptr;
  decltype(&::ncclDevCommDestroy) destroy_device_comm = nullptr;

  Status Check(ncclResult_t result, const char* what) const {
    if (result == ncclSuccess) return {};
    return Fail(std::string("NCCL: ") + what + ": " + error(result));
  }
};

// Loads libnccl.so.2 once. Fails where it is not installed or older than the headers: NCCL does not
// promise that the device side's structures stay the same.
Result<const NcclLibrary*> LoadNccl();

}  // namespace pipescope::kernels::exchange
