// The parts of topology files that name NICs and list switches cable by cable; see load.h for what
// they look like. Example: ParseNics("0-1.4") adds {0, 4} and {1, 4}.
#pragma once

#include <string>
#include <vector>

#include "sim/base/fields.h"
#include "topology/cluster.h"

namespace pipescope::topology {

// Adds the NICs that "node.nic" means, both of which may be ranges; false where it is neither.
bool ParseNics(const std::string& text, std::vector<NicAt>& nics);

// Reads `switches` of an explicit fabric.
void ReadCabled(Fields& fields, Fabric& fabric);

}  // namespace pipescope::topology
