// A sweep in a screenful: its fastest points that fit, which of all are on the front of step time
// and memory, and why the others have no figures.
#pragma once

#include <string>
#include <vector>

#include "sim/result/sweep_point.h"

namespace pipescope::reports {

// Points that no other one beats: none is as fast with as little memory and better in one of them.
// Indices into `points`, fastest first; of equal points the first. Only points that fit.
std::vector<size_t> ParetoFront(const std::vector<SweepPoint>& points);

std::string SweepText(const std::vector<SweepPoint>& points, const std::string& command);

}  // namespace pipescope::reports
