// What an operation needs of a GPU: time alone, and bytes on what it shares with others.
#pragma once

#include "sim/base/units.h"

namespace pipescope::costs {

// Bytes moved while the operation runs; over its time they are rates, and where the rates of all
// that runs at once exceed a resource, everything that uses it slows down.
struct Demand {
  Duration time;  // alone on the GPU
  Bytes memory;   // HBM, read and written
  Bytes nvlink;   // sent over NVLink (as much is received)
  Bytes network_out;
  Bytes network_in;
  Flops flops;
};

}  // namespace pipescope::costs
