#include "kernels/executor/wire_library.h"

#include <dlfcn.h>

#include <filesystem>

namespace pipescope::executor {

std::string WireLibraryPath() {
  std::error_code unreadable;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", unreadable);
  return program.parent_path() / "libpipescope_mpi.so";
}

Result<std::unique_ptr<Wire>> OpenWire(const std::string& library) {
  // SimGrid, which the program is linked with, has an MPI_Init of its own (it simulates MPI): the
  // library must find that of the MPI it was built with first. Never closed.
  void* const handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  if (handle == nullptr) return Fail(std::string("MPI cannot be opened: ") + dlerror());
  const auto open = reinterpret_cast<OpenWireFunction>(dlsym(handle, kOpenWire));
  if (open == nullptr) return Fail(library + ": is no library of pipescope");
  const char* error = nullptr;
  std::unique_ptr<Wire> wire(open(&error));
  if (wire == nullptr) return Fail(std::string("MPI: ") + error);
  return wire;
}

}  // namespace pipescope::executor
