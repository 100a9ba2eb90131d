// The links of the simulated GPUs: a NIC and an NVLink port each, in both directions, and the times
// that a run needs again and again.
#pragma once

#include <algorithm>
#include <vector>

#include "sim/exchange/machine.h"
#include "sim/exchange/run.h"
#include "sim/exchange/station.h"

namespace pipescope::exchange {

struct Ports {
  explicit Ports(int gpus)
      : network_out(static_cast<size_t>(gpus)),
        network_in(network_out.size()),
        nvlink_out(network_out.size()),
        nvlink_in(network_out.size()) {}

  std::vector<Station> network_out, network_in, nvlink_out, nvlink_in;
};

// How long one warp takes for a row that it copies, or for `rows` rows that it adds up to one.
inline Duration CopyTime(const Kernels& kernels, Bytes row) {
  return kernels.row + row / kernels.warp;
}
// The rows' loads are in flight together: as long as one row alone, whatever their number.
inline Duration SumTime(const Kernels& kernels, Bytes row) {
  return kernels.row + row / kernels.reduce;
}

// `jobs` equal jobs shared by `warps` warps that start the next ones without waiting for each
// other.
inline Duration Shared(int jobs, int warps, Duration one) {
  return Duration(one.picoseconds() * jobs / warps);
}

inline double MostBusy(const std::vector<Station>& stations, Duration time) {
  double most = 0;
  for (const Station& station : stations) most = std::max(most, station.busy() / time);
  return most;
}

inline double MeanBusy(const std::vector<Station>& stations, Duration time) {
  double sum = 0;
  for (const Station& station : stations) sum += station.busy() / time;
  return stations.empty() ? 0 : sum / static_cast<double>(stations.size());
}

inline int Peak(const std::vector<Ring>& rings) {
  int peak = 0;
  for (const Ring& ring : rings) peak = std::max(peak, ring.peak());
  return peak;
}

}  // namespace pipescope::exchange
