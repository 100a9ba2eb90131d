// What the phases of a layer are called in a timeline, and on which lane they run.
#pragma once

#include "sim/model/operations.h"
#include "sim/timeline/timeline.h"

namespace pipescope {

// "attention F", "dispatch B", "TP gather W". The gradient of a dispatch or combine is its "B".
timeline::Label LabelFor(model::PhaseKind kind, model::Pass pass);

timeline::Part PartOf(model::Pass pass);

}  // namespace pipescope
