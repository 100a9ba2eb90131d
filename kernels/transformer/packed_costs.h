// Costs of a process' ranks as bytes, for rank 0.
#pragma once

#include <string>

#include "kernels/transformer/run_costs.h"

namespace pipescope::transformer {

// Actions, step ends and partners.
std::string PackCosts(const RunCosts& costs);
// Adds those of the next ranks.
void AddCosts(const std::string& bytes, RunCosts& costs);

}  // namespace pipescope::transformer
