// Bisection by a second way: a maximum flow through the graph.
#pragma once

#include <boost/graph/push_relabel_max_flow.hpp>

#include "topology/graph.h"

namespace pipescope::topology {

// The most that the first half of the nodes can send to the second half, in NICs' rates, by a
// maximum flow over the graph with NVLink taken out.
inline int64_t MaxFlow(const Cluster& cluster) {
  using Traits = boost::adjacency_list_traits<boost::vecS, boost::vecS, boost::directedS>;
  using Flow = boost::adjacency_list<
      boost::vecS, boost::vecS, boost::directedS, boost::no_property,
      boost::property<
          boost::edge_capacity_t, int64_t,
          boost::property<boost::edge_residual_capacity_t, int64_t,
                          boost::property<boost::edge_reverse_t, Traits::edge_descriptor>>>>;
  const Graph graph = BuildGraph(cluster);
  Flow flow(num_vertices(graph) + 2);
  const auto add = [&](size_t a, size_t b, int64_t cables) {
    const auto e = add_edge(a, b, flow).first;
    const auto r = add_edge(b, a, flow).first;
    put(boost::edge_capacity, flow, e, cables);
    put(boost::edge_capacity, flow, r, 0);
    put(boost::edge_reverse, flow, e, r);
    put(boost::edge_reverse, flow, r, e);
  };
  for (auto [e, end] = edges(graph); e != end; ++e) {
    if (graph[source(*e, graph)].kind == VertexKind::kGpu) continue;
    add(source(*e, graph), target(*e, graph), graph[*e].cables);
    add(target(*e, graph), source(*e, graph), graph[*e].cables);
  }
  const size_t from = num_vertices(graph);
  const VertexIds ids(cluster);
  for (int n = 0; n < cluster.nodes; ++n) {
    for (int i = 0; i < cluster.node.nics; ++i) {
      const auto nic = static_cast<size_t>(ids.nic(n, i));
      n < cluster.nodes / 2 ? add(from, nic, 1) : add(nic, from + 1, 1);
    }
  }
  return push_relabel_max_flow(flow, from, from + 1);
}

}  // namespace pipescope::topology
