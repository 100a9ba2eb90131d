// Cases as DeepEP's benchmarks have them.
#pragma once

#include <algorithm>

#include "sim/exchange/exchange.h"
#include "topology/load.h"

namespace pipescope::exchange {

inline topology::Cluster H800() { return *topology::LoadCluster("h800_2048_fat_tree"); }

// The same nodes with the NVLink of H100, H200 and H20.
inline topology::Cluster FullNvlink() {
  topology::Cluster cluster = H800();
  cluster.node.nvlink_nominal = GigabytesPerSecond(450);
  return cluster;
}

// tests/legacy/test_internode.py: one group a node, at most 4 of them, by their best expert.
inline ExchangeCase Benchmark(Direction direction, int gpus) {
  ExchangeCase c;
  c.direction = direction;
  c.gpus = gpus;
  c.gating.groups = std::max(1, gpus / 8);
  c.gating.groups_per_token = std::min(4, c.gating.groups);
  c.gating.score = GroupScore::kBestOne;
  return c;
}

inline ExchangeResult RunAt(const topology::Cluster& cluster, const ExchangeCase& c, int sms) {
  return RunExchange(cluster, c, {sms}).front();
}

// What DeepEP prints for it.
inline double Gigabytes(const ExchangeResult& r) {
  return (r.rdma.value() > 0 ? r.rdma : r.nvl).value() / 1e9;
}

}  // namespace pipescope::exchange
