#include <dlfcn.h>

#include "kernels/exchange/nccl_library.h"

namespace pipescope::kernels::exchange {
namespace {

Result<NcclLibrary> Load() {
  void* handle = dlopen("libnccl.so.2", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return Fail(std::string("NCCL: ") + dlerror());
  const char* missing = nullptr;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(handle, name));
    if (function == nullptr) missing = name;
  };
  NcclLibrary nccl;
  find(nccl.error, "ncclGetErrorString");
  find(nccl.version, "ncclGetVersion");
  find(nccl.unique_id, "ncclGetUniqueId");
  find(nccl.init, "ncclCommInitRank");
  find(nccl.init_config, "ncclCommInitRankConfig");
  find(nccl.destroy, "ncclCommDestroy");
  find(nccl.abort, "ncclCommAbort");
  find(nccl.async_error, "ncclCommGetAsyncError");
  find(nccl.send, "ncclSend");
  find(nccl.receive, "ncclRecv");
  find(nccl.begin_group, "ncclGroupStart");
  find(nccl.end_group, "ncclGroupEnd");
  find(nccl.allocate, "ncclMemAlloc");
  find(nccl.free, "ncclMemFree");
  find(nccl.add_window, "ncclCommWindowRegister");
  find(nccl.remove_window, "ncclCommWindowDeregister");
  find(nccl.device_comm, "ncclDevCommCreate");
  find(nccl.destroy_device_comm, "ncclDevCommDestroy");
  if (missing != nullptr) {
    return Fail(std::string("NCCL: libnccl.so.2 has no ") + missing + ": expected 2.28 or later");
  }
  int version = 0;
  if (auto ok = nccl.Check(nccl.version(&version), "its version"); !ok) return Fail(ok.error());
  if (version != NCCL_VERSION_CODE) {
    return Fail("NCCL: libnccl.so.2 is of version " + std::to_string(version) + ": expected " +
                std::to_string(NCCL_VERSION_CODE) + ", which the device code was compiled for");
  }
  return nccl;
}

}  // namespace

Result<const NcclLibrary*> LoadNccl() {
  static const Result<NcclLibrary> loaded = Load();
  if (!loaded) return Fail(loaded.error());
  return &*loaded;
}

}  // namespace pipescope::kernels::exchange
