// The schedule of a step: a family's, made for the experiment, or a file's.
#pragma once

#include <string>

#include "schedules/schedule.h"
#include "sim/base/result.h"
#include "sim/experiment/experiment.h"

namespace pipescope {

struct MadeSchedule {
  schedules::Schedule schedule;
  std::string made_for;  // costs and memory of an automatic schedule, else ""
};

// `name` is a family's, or a CSV file of PyTorch's IR. Automatic families are made for the
// experiment's own costs and memory (profile.h). Fails where the schedule cannot be built for the
// plan or does not pass the checker.
Result<MadeSchedule> MakeSchedule(const Experiment& experiment, const std::string& name);

}  // namespace pipescope
