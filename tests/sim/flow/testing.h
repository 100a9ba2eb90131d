// Random plans, shapes of traffic with known answers, and a second solver, slow and plain.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "sim/flow/run.h"

namespace pipescope::flow {

// What a random plan is made of.
struct Recipe {
  int links = 8;
  int flows = 20;
  int longest_route = 4;
  bool equal = false;  // few distinct sizes and capacities, so that much happens at once
  bool caps = false;
  bool latencies = false;
  bool weights = false;
  bool staggered = false;  // starts
  bool changes = false;    // of capacities, one of them down to
  Bandwidth least;         // for a while
};

Plan RandomPlan(const Recipe& recipe, uint64_t seed, Pattern::Fold fold = Pattern::Fold::kYes);
// A recipe with its switches drawn at random.
Recipe RandomRecipe(uint64_t seed);

// Every one of n ranks sends `bytes` to every other over its own uplink and the other's downlink:
// links 0..n-1 up, n..2n-1 down.
Plan AllToAll(int n, Bytes bytes, Bandwidth nic, Pattern::Fold fold = Pattern::Fold::kYes);
FlowBatch AllToAllFlows(int n, Bytes bytes);

// Ends in seconds, by id; infinity for flows that never end. Raises all rates by hand at each event
// and sweeps all flows and links each time.
std::vector<double> Reference(const Plan& plan);

std::vector<Duration> RunNative(const Plan& plan);
// Fails where an end differs by more than `relative` of it and `slack`.
void ExpectEnds(const std::vector<double>& seconds, const std::vector<Duration>& ends,
                double relative, Duration slack);

}  // namespace pipescope::flow
