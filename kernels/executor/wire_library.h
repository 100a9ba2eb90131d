// Opens the library that knows MPI (wire.h).
#pragma once

#include <memory>
#include <string>

#include "kernels/executor/wire.h"
#include "sim/base/result.h"

namespace pipescope::executor {

// libpipescope_mpi.so beside the running program.
std::string WireLibraryPath();

// Joins the job that mpirun has started. Fails where the library or MPI is missing.
Result<std::unique_ptr<Wire>> OpenWire(const std::string& library);

}  // namespace pipescope::executor
