#include "sim/flow/network.h"

#include <cmath>

#include "sim/base/result.h"

namespace pipescope::flow {

void CheckBatch(const Network& network, const FlowBatch& batch) {
  const size_t flows = batch.bytes.size();
  PIPESCOPE_CHECK(batch.first.size() == flows + 1 && batch.first.front() == 0);
  PIPESCOPE_CHECK(batch.first.back() == static_cast<int64_t>(batch.links.size()));
  PIPESCOPE_CHECK(batch.weights.empty() || batch.weights.size() == batch.links.size());
  PIPESCOPE_CHECK(batch.caps.empty() || batch.caps.size() == flows);
  PIPESCOPE_CHECK(batch.latencies.empty() || batch.latencies.size() == flows);
  std::vector<int64_t> crossed_by(network.links.size(), -1);
  for (int64_t f = 0; f < batch.size(); ++f) {
    PIPESCOPE_CHECK(batch.first[static_cast<size_t>(f)] <= batch.first[static_cast<size_t>(f) + 1]);
    for (const int32_t l : batch.Route(f)) {
      PIPESCOPE_CHECK(l >= 0 && static_cast<size_t>(l) < network.links.size());
      PIPESCOPE_CHECK(crossed_by[static_cast<size_t>(l)] != f);
      crossed_by[static_cast<size_t>(l)] = f;
    }
    PIPESCOPE_CHECK(batch.bytes[static_cast<size_t>(f)] >= Bytes(0));
    PIPESCOPE_CHECK(batch.Cap(f) >= Bandwidth(0) && std::isfinite(batch.Cap(f).value()));
    PIPESCOPE_CHECK(batch.Latency(f) >= Duration(0));
  }
  for (const double w : batch.weights) PIPESCOPE_CHECK(w > 0 && std::isfinite(w));
}

}  // namespace pipescope::flow
