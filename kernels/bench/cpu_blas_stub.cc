// Where there is no OpenBLAS: the kernels' own binary.
#include "kernels/bench/cpu_ops.h"

namespace pipescope::kernels::bench {

std::vector<Op> CpuBlasOps() { return {}; }

}  // namespace pipescope::kernels::bench
