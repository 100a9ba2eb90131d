#include "tests/sim/testing.h"

#include "schedules/registry.h"
#include "sim/costs/routing.h"
#include "sim/lowering/lower.h"
#include "sim/model/layout.h"

namespace pipescope {
namespace {

model::ModelConfig SmallModel(const Small& small) {
  model::ModelConfig m;
  m.name = "small";
  m.hidden = 1024;
  m.dense_intermediate = 4096;
  for (int i = 0; i < small.layers; ++i) m.layer.push_back({i >= small.dense_layers, 0});
  m.mtp_modules = small.mtp_modules;
  m.attention.kind = model::AttentionKind::kLatent;
  m.attention.heads = 8;
  m.attention.q_lora_rank = 256;
  m.attention.kv_lora_rank = 128;
  m.attention.qk_nope_head_dim = 64;
  m.attention.qk_rope_head_dim = 32;
  m.attention.v_head_dim = 64;
  m.expert_intermediate = 512;
  m.routed_experts = 64;
  m.shared_intermediate = 512;
  m.router_bias = true;
  m.experts_per_token = 4;
  m.expert_groups = 8;
  m.groups_per_token = 4;
  m.vocabulary = 1024;
  return m;
}

topology::Cluster SmallCluster(int gpus, double nic_gigabytes) {
  topology::Cluster c;
  c.name = "made";
  c.gpu = {"GPU",
           132,
           Teraflops(989.4),
           Teraflops(1978.9),
           Teraflops(66.9),
           Bytes(int64_t{80} << 30),
           GigabytesPerSecond(3350)};
  c.node.gpus = 8;
  c.node.nvlink = GigabytesPerSecond(160);
  c.node.nvlink_latency = Microseconds(3.33);
  c.node.nics = 8;
  c.node.nic = GigabytesPerSecond(nic_gigabytes);
  c.node.pcie = GigabytesPerSecond(64);
  c.nodes = std::max(1, (gpus + 7) / 8);
  c.fabric.kind = topology::FabricKind::kFatTree;
  c.fabric.levels = 2;
  c.fabric.switch_ports = 64;
  c.fabric.link_latency = Microseconds(0.15);
  c.fabric.switch_latency = Microseconds(0.3);
  c.fabric.nic_latency = Microseconds(1.1);
  return c;
}

}  // namespace

Experiment MakeExperiment(const Small& small) {
  Experiment e;
  e.name = "small";
  e.file = "small.yaml";
  e.model = SmallModel(small);
  e.cluster =
      SmallCluster(small.ranks * small.data * small.tensor * small.context, small.nic_gigabytes);
  e.topology = "made";
  e.parallel = {small.ranks, small.data, small.expert, 1, small.tensor, small.context};
  e.training.sequence_length = small.tokens;
  e.training.global_batch = int64_t{small.microbatches} * small.data;
  e.training.fp8 = small.fp8;
  e.communication.sms = small.sms;
  return e;
}

TaskGraph LowerSchedule(const Experiment& e, const std::string& name) {
  const auto schedule =
      Must(schedules::Generate(name, {e.parallel.pipeline, e.microbatches(), {}}));
  const auto layout = Must(model::BalancedLayout(e.model, schedule.stages));
  const auto spread = Must(costs::SpreadOf(e.model, e.parallel.expert, e.cluster.node.gpus));
  return Lower(e, schedule, layout, spread);
}

int32_t AddTemplate(TaskGraph& graph, Duration time, std::array<double, kResources> rates) {
  if (graph.labels.empty()) graph.labels.push_back({"task"});
  TaskTemplate templ;
  templ.demand.time = time;
  templ.rates = rates;
  graph.templates.push_back(templ);
  return static_cast<int32_t>(graph.templates.size()) - 1;
}

int32_t AddTask(TaskGraph& graph, int32_t rank, int32_t templ, std::vector<int32_t> after) {
  const int32_t task = static_cast<int32_t>(graph.tasks.size());
  graph.tasks.push_back({rank, rank, templ, -1});
  for (const int32_t before : after) graph.edges.emplace_back(before, task);
  return task;
}

void ExpectReleasedExactly(const timeline::Timeline& t) {
  for (const timeline::Operation& op : t.operations) {
    ASSERT_GE(op.start, Duration());
    ASSERT_GE(op.end, op.start);
    const Duration released =
        op.released_by < 0 ? Duration() : t.operations[static_cast<size_t>(op.released_by)].end;
    ASSERT_EQ(op.start, released);
  }
}

}  // namespace pipescope
