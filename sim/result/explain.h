// Why a step is slower than one that is remembered by its fingerprint: which rank, which of its
// waits grew, what ended the longest of them, and whether that came late or took longer.
//
// What ends a wait is the last of its inputs to be ready: F(s, m) waits for F(s-1, m), I and B for
// I or B(s+1, m) (schedules/schedule.h). The chain is followed from rank to rank while the input's
// own rank had waited for it, and its waits of that kind grew too, to the action that grew by
// itself. For example, of V3 under 1F1B with slower GEMMs:
//
//   rank 3: bubble 2.728 s -> 2.837 s (+109.2 ms). Imbalance before 3B grew most, 1.021 s ->
//   1.127 s (+105.8 ms); the longest, 41.22 ms before 3B119, was ended by 4B119 of rank 4, in the
//   end by 15B119 of rank 15. Its actions 15B take 109.9 ms -> 111.5 ms (+1.584 ms) in the mean.
#pragma once

#include <string>
#include <vector>

#include "sim/result/fingerprint.h"

namespace pipescope {

// A sentence or two a finding, the weightiest first; empty where nothing grew.
std::vector<std::string> ExplainSlower(const Fingerprint& before, const StepResult& now);

// The rank whose peak grew most, and whether its activations did.
std::vector<std::string> ExplainFuller(const Fingerprint& before, const StepResult& now);

}  // namespace pipescope
