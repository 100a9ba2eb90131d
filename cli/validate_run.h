// Calibrates, predicts and runs a model under several schedules on the processors at hand.
//
//   once a repetition, in turn   the loads that schedules put on ranks are calibrated
//                                (kernels/transformer), each schedule runs one step
//   then                         medians over the repetitions but the first ones, which warm up,
//                                and, where there are others, but those that other processes
//                                disturbed (interference.h); how many: validate_rounds.h
//
// Where ranks are processes of a job (crew.h), all of them do this in the same order, and what the
// next repetition depends on is decided where the crew leads.
//
// In turn, so that a machine whose speed drifts does so for all of them alike. Losses of every step
// are held against those of all stages on one rank.
#pragma once

#include <string>
#include <vector>

#include "cli/validate_group.h"
#include "kernels/executor/crew.h"
#include "reports/validate_report.h"
#include "sim/base/result.h"
#include "sim/base/units.h"

namespace pipescope::cli {

// Of a message between threads, to a rank that waits awake, and to one that is woken.
struct ThreadHops {
  Duration awake, woken;
};

// Fails where a schedule cannot be made or run, with its name. The cases are complete where the
// crew leads; elsewhere they are to be thrown away.
Result<std::vector<reports::ValidateCase>> RunGroup(const ValidateGroup& group,
                                                    const std::vector<std::string>& schedules,
                                                    const ThreadHops& hops, executor::Crew& crew);

}  // namespace pipescope::cli
