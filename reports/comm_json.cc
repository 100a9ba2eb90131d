#include "reports/comm_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "reports/comm_text.h"

namespace pipescope::reports {
namespace {

using Json = nlohmann::ordered_json;

// Bytes that are not UTF-8 become a replacement sign instead of an exception.
std::string Dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json DefinitionsJson(const std::vector<Definition>& definitions) {
  Json json = Json::object();
  for (const Definition& d : definitions) json[d.name] = d.counts;
  return json;
}

Json ResultJson(const exchange::ExchangeResult& r) {
  const auto& o = r.outcome;
  return {{"sms", r.sms},
          {"channels", r.channels},
          {"time_s", r.time.seconds()},
          {"notify_s", r.notify.seconds()},
          {"wait_s", r.wait.seconds()},
          {"algorithm_rdma_bytes_per_second", r.rdma.value()},
          {"algorithm_nvl_bytes_per_second", r.nvl.value()},
          {"wire_nic_bytes_per_second", r.rdma_wire.value()},
          {"wire_nvlink_bytes_per_second", r.nvl_wire.value()},
          {"busy",
           {{"nic", o.network},
            {"nvlink", o.nvlink},
            {"hbm", r.memory_share},
            {"send_warps", o.send},
            {"post", o.post},
            {"forward_warps", o.forward},
            {"receive_warps", o.receive}}},
          {"fullest_ring_tokens", {{"network", o.rdma_peak}, {"nvlink", o.nvl_peak}}},
          {"hbm_bytes", r.memory.value()},
          {"bound_by", r.bound}};
}

Json CaseJson(const topology::Cluster& cluster, const exchange::ExchangeCase& c,
              const exchange::ExchangeResult& r) {
  const bool dispatch = c.direction == exchange::Direction::kDispatch;
  Json slow = Json::array();
  for (const auto& [gpu, times] : c.slow_gpus) slow.push_back({{"gpu", gpu}, {"times", times}});
  return {{"pattern", dispatch ? "dispatch" : "combine"},
          {"topology", cluster.name},
          {"gpus", c.gpus},
          {"nodes", std::max(1, c.gpus / cluster.node.gpus)},
          {"tokens", c.tokens},
          {"hidden", c.hidden},
          {"precision", dispatch && c.fp8 ? "fp8" : "bf16"},
          {"row_bytes", r.row.value()},
          {"experts", c.gating.experts},
          {"top_k", c.gating.top_k},
          {"groups", c.gating.groups},
          {"groups_per_token", c.gating.groups_per_token},
          {"slow_gpus", slow},
          {"skew", c.gating.skew},
          {"seed", c.gating.seed},
          {"nodes_per_token", r.token_nodes},
          {"gpus_per_token", r.token_gpus},
          {"fullest_gpu_over_mean", r.load},
          {"buffers_tokens",
           {{"nvlink_message", r.buffers.nvl_send},
            {"nvlink_ring", r.buffers.nvl_recv},
            {"network_message", r.buffers.rdma_send},
            {"network_ring", r.buffers.rdma_recv}}}};
}

}  // namespace

std::string ExchangeJson(const topology::Cluster& cluster, const exchange::ExchangeCase& c,
                         const std::vector<exchange::ExchangeResult>& results) {
  Json json = CaseJson(cluster, c, results.front());
  json["results"] = Json::array();
  for (const auto& result : results) json["results"].push_back(ResultJson(result));
  json["saturating_sms"] = SaturatingSms(results);
  json["definitions"] = DefinitionsJson(ExchangeDefinitions());
  json["assumptions"] = Json::array();
  const int nodes = std::max(1, c.gpus / cluster.node.gpus);
  const auto machine = exchange::MachineOf(cluster, nodes, c.generation);
  for (const auto& constant : exchange::Describe(machine, c.generation)) {
    json["assumptions"].push_back(
        {{"name", constant.name}, {"value", constant.value}, {"source", constant.source}});
  }
  return Dump(json);
}

std::string CollectiveJson(const topology::Cluster& cluster, const collective::Collective& c,
                           const collective::CollectiveTime& t, double network) {
  return Dump({{"pattern", c.pattern},
               {"algorithm", c.algorithm},
               {"topology", cluster.name},
               {"gpus", c.gpus},
               {"nodes", c.gpus / c.gpus_per_node},
               {"size_bytes", c.size.value()},
               {"steps", t.steps},
               {"transfers", t.transfers},
               {"moved_bytes", t.moved.value()},
               {"time_s", t.time.seconds()},
               {"latency_s", t.latency.seconds()},
               {"algorithm_bytes_per_second", t.algorithm.value()},
               {"bus_bytes_per_second", t.bus.value()},
               {"wire_nic_bytes_per_second", t.wire.value()},
               {"wire_nvlink_bytes_per_second", t.nvlink.value()},
               {"bound_by", t.bound},
               {"network_share", network},
               {"definitions", DefinitionsJson(CollectiveDefinitions())}});
}

}  // namespace pipescope::reports
