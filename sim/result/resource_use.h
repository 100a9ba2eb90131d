// What the shared parts of a GPU carry over the step: HBM, NVLink and NIC, by rank and time.
//
// A task moves the bytes of its template evenly from its start to its end. In a slice of time
//
//   share = bytes that a rank's tasks move in it / (capacity x its length)
//
// so that a message of 40 GB/s that fills half a slice of a NIC of 40 GB/s counts as 0.5 there.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "sim/base/units.h"

namespace pipescope {

// What one GPU of a rank sends to GPUs of another one in the step, or, where `to` is the rank
// itself, to others of its own: dispatch, combine and collectives stay among the GPUs of a rank.
struct Traffic {
  int from = 0, to = 0;  // pipeline ranks
  Bytes bytes;
};

struct ResourceUse {
  // One resource of one GPU of each pipeline rank.
  struct Row {
    std::string name;  // "NVLink"
    Bandwidth capacity;
    std::vector<Bytes> bytes;                // by rank, in the step
    std::vector<std::vector<double>> share;  // [rank][slice]
    std::vector<Traffic> traffic;            // of NVLink, NIC out: where `bytes` go
  };
  Duration slice;
  std::vector<Row> rows;
  // [label of the timeline][row]: share of the capacity while its operations run, in the mean.
  std::vector<std::vector<double>> by_label;
};

}  // namespace pipescope
