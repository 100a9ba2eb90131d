// What makes two sweeps the same: a point of one is a point of the other, to the byte.
//
// A hash (FNV-1a, 64 bits, 16 hexadecimal digits) of the version, the fidelity, the experiment
// file, its overrides, all axes, and every file that a value of any of them names. It tells apart
// what was changed between two runs; it is no protection against forgery.
// Source: Fowler, Noll, Vo; the constants are those of draft-eastlake-fnv.
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/sweep/grid.h"

namespace pipescope::sweep {

Result<std::string> IdentityOf(const std::string& experiment,
                               const std::vector<std::string>& overrides, const Grid& grid,
                               const std::string& fidelity, const std::string& version);

}  // namespace pipescope::sweep
