// At which fidelity, and by which engine, a step's task graph runs.
#pragma once

#include "sim/base/result.h"
#include "sim/engine/engine.h"
#include "sim/experiment/experiment.h"
#include "sim/lowering/task_graph.h"
#include "sim/result/link_use.h"

namespace pipescope {

enum class Fidelity { kSchedule, kOp, kFlow };

// Who shares links among flows, at fidelity `flow`. SimGrid is the reference: for balanced steps of
// at most kMostSimGridGpus, without waits for HBM.
enum class EngineKind { kNative, kSimGrid };
inline constexpr int kMostSimGridGpus = 128;

// "schedule", "op" or "flow".
const char* NameOf(Fidelity fidelity);

// Fails where the experiment asks for what the fidelity or the engine cannot do.
Status CheckRun(const Experiment& experiment, Fidelity fidelity, EngineKind engine);

// When every task of the folded graph runs; at fidelity `flow`, on the replica that ends last. Who
// wants to know what the links carry there gives `links`; it is left as it is at others. The
// experiment has passed CheckRun; fails where SimGrid finds replicas that go apart.
Result<TaskTimes> RunGraph(const Experiment& experiment, const TaskGraph& graph, Fidelity fidelity,
                           EngineKind engine, LinkUse* links = nullptr);

}  // namespace pipescope
