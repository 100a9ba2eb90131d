// Random small steps: a schedule, a plan, a fabric and costs, drawn from a seed.
//
//   const Case c = RandomCase(42);
//   Simulate(ExperimentOf(c), c.schedule);
//
// Every draw is a step that can run: a fabric is drawn again until it joins its nodes.
#pragma once

#include <cstdint>
#include <string>

#include "sim/experiment/experiment.h"
#include "tests/sim/testing.h"

namespace pipescope {

struct Case {
  Small small;
  std::string schedule;
  topology::Fabric fabric;
  Paths paths = Paths::kDestination;
  costs::Efficiencies efficiencies;
  double nvlink = 1, latency = 1;  // times those of the small cluster
};

// 2 to 8 ranks of 1 to 128 GPUs each.
Case RandomCase(uint64_t seed);

// The same with few enough GPUs that every flow of theirs may run on its own.
Case RandomFewGpus(uint64_t seed);

Experiment ExperimentOf(const Case& c);

std::string Describe(const Case& c);

// Whether the schedule overlaps micro-batches in pairs, which share a GPU's SMs.
bool HasPairs(const Case& c);

}  // namespace pipescope
