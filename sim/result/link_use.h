// What the links of the whole cluster carry over a step, by class: known at fidelity `flow`.
//
// A class is all links of one direction between two levels: "NIC out" from the NICs to the leaves,
// "leaf to spine". A flow moves its bytes evenly from its task's start to its own end, its weight's
// share of them over each link of its route. In a slice of time
//
//   share = bytes on links of the class in it / (capacity of all its links x its length)
//
// 16 links of 40 GB/s, of which one carries 20 GB/s: share 1/32, and `busiest` 0.5 if so for the
// whole step. PCIe that is no narrower than the NIC behind it takes no flows (step_network.h) and
// is not counted.
#pragma once

#include <string>
#include <vector>

#include "sim/base/units.h"

namespace pipescope {

struct LinkUse {
  struct Class {
    std::string name;      // "leaf to spine"
    std::string from, to;  // levels: "GPU", "NVLink switch", "NIC", "leaf", "spine", "core"
    int64_t links = 0;
    Bandwidth capacity;          // of all, dead ones being none
    std::vector<Bytes> by_work;  // beside `works`
    std::vector<Bytes> by_rank;  // of the pipeline rank that sends
    double busiest = 0;          // share of its capacity that the most used link carries
    std::vector<double> share;   // by slice, mean over the links
  };
  Duration slice;
  std::vector<std::string> works;  // "dispatch", "combine", "message", "collective"
  std::vector<Class> classes;      // that carry anything
};

}  // namespace pipescope
