// A trace run again by the engine of fidelity `op`, as it was or with parts of it faster or slower.
//
// Operations and the host's steps are tasks with the lengths they had; when they start follows from
// the dependencies alone (dependencies.h). An operation starts when everything it depends on has
// ended and the delay of that kind of dependency has passed. Run as it was, the replay tells how
// well the dependencies explain the trace: it should take as long. Run with scaled lengths it
// answers what-ifs: the same program on a faster network, or with launches that cost nothing.
//
// What it leaves out: lengths do not change with what runs beside them, though measured beside
// other operations; what waits for peers (notify kernels, collectives) waits as long as it did.
//
// Example: two streams, 10 us of GEMM on one, then, by a wait, 30 us of all-reduce on the other:
// 40 us. With all-reduce scaled by 0.5, 25 us.
#pragma once

#include <array>

#include "sim/base/units.h"
#include "sim/replay/dependencies.h"
#include "sim/trace/operation_class.h"
#include "sim/trace/trace.h"

namespace pipescope::replay {

struct Scales {
  std::array<double, trace::kOperationClasses> of_class;
  double host = 1;
  bool any = false;  // one is not 1

  Scales() { of_class.fill(1); }
};

struct Replay {
  trace::Trace trace;  // the same operations at their new times
  Dependencies dependencies;
  Duration recorded;  // first start to last end, as the trace has it
  Duration replayed;
  Scales scales;
};

// Fails where the trace has too many streams, or is longer than the engine can count.
Result<Replay> ReplayTrace(const trace::Trace& trace, const Scales& scales = {});

}  // namespace pipescope::replay
