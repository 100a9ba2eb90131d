#include "kernels/exchange/bench.h"

#include <algorithm>

namespace pipescope::kernels::exchange {
namespace {

Result<Duration> Median(Exchange& exchange, Part part, int runs) {
  auto seconds = exchange.Seconds(part, runs + 1);
  if (!seconds) return Fail(seconds.error());
  seconds->erase(seconds->begin());
  const auto middle = seconds->begin() + static_cast<int64_t>(seconds->size() / 2);
  std::nth_element(seconds->begin(), middle, seconds->end());
  return Seconds(*middle);
}

}  // namespace

int64_t DispatchRowBytes(const Config& g) { return g.value_bytes() + 4 * int64_t{g.scales()}; }

Rates RatesOf(const Config& g, const Volume& volume, int64_t row, Duration time) {
  const auto rate = [&](int64_t rows) { return Bytes(rows * row / g.ranks()) / time; };
  return {.time = time,
          .rdma = rate(volume.token_nodes),
          .nvl = rate(volume.rows),
          .rdma_wire = rate(volume.token_far_nodes),
          .nvl_wire = rate(volume.near_rows)};
}

Volume VolumeOf(const Config& g, const std::vector<DispatchInput>& inputs) {
  Volume volume;
  for (int home = 0; home < g.ranks(); ++home) {
    const DispatchInput& in = inputs[static_cast<size_t>(home)];
    for (int token = 0; token < in.tokens; ++token) {
      std::vector<int> ranks;
      for (int k = 0; k < g.selected; ++k) {
        const int expert = in.experts[static_cast<size_t>(token * g.selected + k)];
        if (expert >= 0) ranks.push_back(g.RankOfExpert(expert));
      }
      std::sort(ranks.begin(), ranks.end());
      ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
      int last_node = -1;
      for (int rank : ranks) {
        ++volume.rows;
        if (g.LocalOf(rank) != g.LocalOf(home)) ++volume.near_rows;
        if (g.NodeOf(rank) == last_node) continue;
        last_node = g.NodeOf(rank);
        ++volume.token_nodes;
        if (last_node != g.NodeOf(home)) ++volume.token_far_nodes;
      }
    }
  }
  return volume;
}

Result<BenchResult> BenchExchange(Exchange& exchange, const Config& g, Routing routing, int runs,
                                  uint64_t seed) {
  if (runs < 1) return Fail("runs: " + std::to_string(runs) + ": expected 1 or more");
  const auto inputs = DrawInputs(g, routing, false, seed);
  const auto outputs = exchange.Dispatch(inputs);
  if (!outputs) return Fail(outputs.error());
  std::vector<int> rows;
  for (const DispatchOutput& out : *outputs) rows.push_back(out.rows);
  if (auto sums = exchange.Combine(DrawResults(g, rows, true, seed), true); !sums) {
    return Fail(sums.error());
  }
  const auto notify = Median(exchange, Part::kNotify, runs);
  if (!notify) return Fail(notify.error());
  const auto dispatch = Median(exchange, Part::kDispatch, runs);
  if (!dispatch) return Fail(dispatch.error());
  const auto combine = Median(exchange, Part::kCombine, runs);
  if (!combine) return Fail(combine.error());
  const Volume volume = VolumeOf(g, inputs);
  const int64_t bf16 = 2 * int64_t{g.hidden};
  return BenchResult{.notify = *notify,
                     .dispatch = RatesOf(g, volume, DispatchRowBytes(g), *dispatch),
                     .combine = RatesOf(g, volume, bf16, *combine)};
}

}  // namespace pipescope::kernels::exchange
