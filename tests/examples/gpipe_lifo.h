#pragma once

#include "schedules/family.h"

namespace pipescope::schedules {

Family GPipeLifoFamily();

}  // namespace pipescope::schedules
