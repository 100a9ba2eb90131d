// What each process of a crew has found for itself, told to all: whether they go on together.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernels/executor/crew.h"

namespace pipescope::executor {

// The same answer on all of them: the error of the first that has one, else what `judge`, where the
// crew leads, says of everyone's words.
Status Agree(Crew& crew, const Result<std::string>& own,
             const std::function<Status(const std::vector<std::string>&)>& judge);

}  // namespace pipescope::executor
