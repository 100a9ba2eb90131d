// How many nodes and GPUs the experts of one token are spread over.
//
// A token picks g' of g expert groups, then k experts in them, all choices equally likely (the
// balanced routing that V3 trains towards). Experts lie in order over the GPUs of an expert group
// and those over nodes. A set of x experts that lies inside one group is missed with probability
//   P(miss) = (1 - g'/g) + g'/g C(n - x, k) / C(n, k),   n = g' E / g
// and one that covers c whole groups with the hypergeometric sum over how many of them are picked.
// The expected number of distinct nodes is nodes x (1 - P(miss)), and of GPUs likewise.
//
// DeepSeek-V3, EP64 on 8 nodes of 8 GPUs: 3.64 nodes and 7.35 GPUs a token.
#pragma once

#include "sim/base/result.h"
#include "sim/model/config.h"

namespace pipescope::costs {

struct Spread {
  int nodes = 1;           // over which the expert group lies
  int gpus_per_node = 1;   // of the expert group
  double token_nodes = 1;  // distinct nodes a token's experts are on, own node included
  double token_gpus = 1;   // distinct GPUs, own GPU included
  // Rows that leave by the NIC and over NVLink, per token and GPU, in a two-hop dispatch: to the
  // GPU of the same index on each remote node, then to the other GPUs there.
  double network_rows() const { return token_nodes * (nodes - 1) / nodes; }
  double nvlink_rows() const { return token_gpus * (gpus_per_node - 1) / gpus_per_node; }
};

// `expert_parallel` GPUs in a row, `gpus_per_node` a node. Fails where experts, groups or nodes do
// not divide evenly.
Result<Spread> SpreadOf(const model::ModelConfig& model, int expert_parallel, int gpus_per_node);

}  // namespace pipescope::costs
