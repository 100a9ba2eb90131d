// What the actions of an experiment take where nothing else runs, worked out by the engine.
#pragma once

#include "schedules/schedule.h"
#include "sim/base/units.h"
#include "sim/costs/routing.h"
#include "sim/experiment/experiment.h"
#include "sim/lowering/fixed_times.h"
#include "sim/model/layout.h"

namespace pipescope {

Duration TimeAlone(const Experiment& experiment, const model::Layout& layout,
                   const costs::Spread& spread, const schedules::Action& action);

// Of every action that the schedule holds; I of every stage whose B it holds.
FixedTimes FixedTimesOf(const Experiment& experiment, const model::Layout& layout,
                        const costs::Spread& spread, const schedules::Schedule& schedule);

}  // namespace pipescope
