#include "tests/sim/random_case.h"

#include <algorithm>
#include <random>

#include "topology/check.h"

namespace pipescope {
namespace {

class Draw {
 public:
  explicit Draw(uint64_t seed) : random_(seed) {}

  int Pick(int least, int most) { return std::uniform_int_distribution<int>(least, most)(random_); }
  double Share(double least, double most) {
    return std::uniform_real_distribution<double>(least, most)(random_);
  }
  bool Coin() { return Pick(0, 1) == 1; }

 private:
  std::mt19937_64 random_;
};

topology::Fabric ATree(Draw& draw, topology::Fabric fabric) {
  fabric.levels = draw.Pick(2, 3);
  fabric.switch_ports = 16 << draw.Pick(0, 3);
  fabric.oversubscription = draw.Coin() ? 2 : 1;
  if (draw.Coin()) {
    fabric.rail_optimized = true;
  } else if (draw.Coin()) {
    fabric.kind = topology::FabricKind::kMultiPlane;
    fabric.planes = 1 << draw.Pick(1, 3);
  }
  return fabric;
}

topology::Fabric OfGroups(Draw& draw, topology::Fabric fabric, bool plus) {
  fabric.kind = plus ? topology::FabricKind::kDragonflyPlus : topology::FabricKind::kDragonfly;
  fabric.levels = 0;
  fabric.groups = draw.Pick(2, 12);
  fabric.group_switches = draw.Pick(2, 8);
  fabric.switch_nics = draw.Pick(2, 16);
  fabric.global_cables = draw.Pick(1, 8);
  if (plus) fabric.group_spines = draw.Pick(2, 8);
  return fabric;
}

topology::Fabric ATorus(Draw& draw, topology::Fabric fabric) {
  fabric.kind = topology::FabricKind::kTorus;
  fabric.levels = 0;
  fabric.switch_ports = 0;
  fabric.switch_nics = 8;
  for (int d = draw.Pick(2, 3); d > 0; --d) fabric.dimensions.push_back(draw.Pick(2, 6));
  return fabric;
}

topology::Fabric DrawFabric(Draw& draw, topology::Cluster cluster) {
  const topology::Fabric made = cluster.fabric;
  for (int tries = 0; tries < 200; ++tries) {
    const int kind = draw.Pick(0, 4);
    cluster.fabric = kind < 2    ? ATree(draw, made)
                     : kind == 4 ? ATorus(draw, made)
                                 : OfGroups(draw, made, kind == 3);
    if (topology::CheckCluster(cluster)) return cluster.fabric;
  }
  return made;
}

Paths DrawPaths(Draw& draw, topology::FabricKind kind) {
  const bool detours =
      kind == topology::FabricKind::kDragonfly || kind == topology::FabricKind::kTorus;
  return static_cast<Paths>(draw.Pick(0, detours ? 5 : 3));
}

void DrawCosts(Draw& draw, Case& c) {
  c.small.nic_gigabytes = draw.Share(0.5, 200);
  c.efficiencies.gemm_main_loop = draw.Share(0.1, 1);
  c.efficiencies.memory = draw.Share(0.1, 1);
  c.efficiencies.network = draw.Share(0.1, 1);
  c.efficiencies.communication_beside = draw.Share(1, 3);
  c.efficiencies.rank_spread = draw.Share(0, 0.5);
  c.efficiencies.kernel_gap = Microseconds(draw.Share(0, 20));
  c.nvlink = draw.Share(0.1, 10);
  c.latency = draw.Share(0, 100);
}

// Over GPUs that share experts, as many replicas as are left.
void DrawSplit(Draw& draw, Small& small) {
  if (draw.Pick(0, 2) != 0) return;
  small.tensor = 1 << draw.Pick(0, 2);
  small.context = 1 << draw.Pick(0, 1);
  small.data = std::max(1, small.data / (small.tensor * small.context));
}

Case DrawCase(Draw draw, int most_experts) {
  Case c;
  const char* const names[] = {"gpipe", "1f1b",     "eager-1f1b", "zb1p",
                               "zb-h2", "dualpipe", "dualpipev"};
  c.schedule = names[draw.Pick(0, 6)];
  c.small.ranks = 2 * draw.Pick(1, most_experts > 3 ? 4 : 2);
  c.small.microbatches = 2 * c.small.ranks + 2 * draw.Pick(0, 6);
  c.small.layers = 2 * c.small.ranks + draw.Pick(0, 9);
  c.small.dense_layers = draw.Pick(0, 2);
  c.small.mtp_modules = draw.Pick(0, 1);
  c.small.expert = 1 << draw.Pick(0, most_experts);
  c.small.data = c.small.expert * draw.Pick(1, 2);
  c.small.sms = draw.Pick(1, 100);
  c.small.tokens = 128 * draw.Pick(1, 16);
  c.small.fp8 = draw.Coin();
  DrawSplit(draw, c.small);
  DrawCosts(draw, c);
  c.fabric = DrawFabric(draw, MakeExperiment(c.small).cluster);
  c.paths = DrawPaths(draw, c.fabric.kind);
  return c;
}

}  // namespace

Case RandomCase(uint64_t seed) { return DrawCase(Draw(seed), 6); }
Case RandomFewGpus(uint64_t seed) { return DrawCase(Draw(seed), 3); }

Experiment ExperimentOf(const Case& c) {
  Experiment e = MakeExperiment(c.small);
  e.efficiencies = c.efficiencies;
  e.cluster.node.nvlink = Bandwidth(e.cluster.node.nvlink.value() * c.nvlink);
  e.cluster.node.nvlink_latency = Seconds(e.cluster.node.nvlink_latency.seconds() * c.latency);
  e.cluster.fabric = c.fabric;
  e.communication.paths = c.paths;
  return e;
}

std::string Describe(const Case& c) {
  const Small& s = c.small;
  return c.schedule + ", ranks " + std::to_string(s.ranks) + ", micro-batches " +
         std::to_string(s.microbatches) + ", layers " + std::to_string(s.layers) + ", EP " +
         std::to_string(s.expert) + ", DP " + std::to_string(s.data) + ", SMs " +
         std::to_string(s.sms) + ", TP " + std::to_string(s.tensor) + ", CP " +
         std::to_string(s.context) + ", fabric " + std::to_string(static_cast<int>(c.fabric.kind)) +
         ", ways " + std::to_string(static_cast<int>(c.paths));
}

bool HasPairs(const Case& c) { return c.schedule.starts_with("dualpipe"); }

}  // namespace pipescope
