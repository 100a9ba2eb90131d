#include "sim/sensitivity.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "sim/base/quantity.h"

namespace pipescope {
namespace {

constexpr double kMore = 1.1;

Bandwidth More(Bandwidth b) { return Bandwidth(b.value() * kMore); }
Duration Less(Duration d) { return Seconds(d.seconds() / kMore); }

// Changes the experiment and says how, or "" where there is nothing to change.
struct Change {
  const char* name;
  std::string (*apply)(Experiment& e);
};

template <class T>
std::string FromTo(T& field, T value) {
  const T before = field;
  field = value;
  return fmt::format("{} to {}", Format(before), Format(value));
}

std::string Efficiency(double& field) {
  const double before = field;
  field = std::min(1.0, field * kMore);
  return fmt::format("{:.3g} to {:.3g} of the peak", before, field);
}

bool SendsToExperts(const Experiment& e) { return e.parallel.expert > 1; }

constexpr Change kChanges[] = {
    {"network between nodes",
     [](Experiment& e) -> std::string {
       if (e.gpus() <= e.cluster.node.gpus) return "";
       return FromTo(e.cluster.node.nic, More(e.cluster.node.nic)) + " a NIC";
     }},
    {"NVLink",
     [](Experiment& e) -> std::string {
       if (e.cluster.node.gpus == 1) return "";
       return FromTo(e.cluster.node.nvlink, More(e.cluster.node.nvlink)) + " a GPU";
     }},
    {"HBM bandwidth",
     [](Experiment& e) -> std::string {
       return FromTo(e.cluster.gpu.memory_bandwidth, More(e.cluster.gpu.memory_bandwidth));
     }},
    {"SMs for communication",
     [](Experiment& e) -> std::string {
       if (!SendsToExperts(e)) return "";
       const int before = e.communication.sms;
       const int more = std::max(2, static_cast<int>(before * (kMore - 1) + 0.5) / 2 * 2);
       if (before + more >= e.cluster.gpu.sms) return "";
       e.communication.sms += more;
       return fmt::format("{} to {}", before, e.communication.sms);
     }},
    {"GEMM efficiency",
     [](Experiment& e) -> std::string {
       Efficiency(e.efficiencies.weight_grad_main_loop);
       return Efficiency(e.efficiencies.gemm_main_loop);
     }},
    {"attention efficiency",
     [](Experiment& e) -> std::string {
       Efficiency(e.efficiencies.attention_backward);
       return Efficiency(e.efficiencies.attention_forward);
     }},
    {"shorter gaps between kernels",
     [](Experiment& e) {
       return FromTo(e.efficiencies.kernel_gap, Less(e.efficiencies.kernel_gap));
     }},
    {"shorter waits for the slowest rank",
     [](Experiment& e) -> std::string {
       if (!SendsToExperts(e)) return "";
       const double before =
           std::exchange(e.efficiencies.rank_spread, e.efficiencies.rank_spread / kMore);
       return fmt::format("spread {} to {}", FormatPercent(before),
                          FormatPercent(e.efficiencies.rank_spread));
     }},
    {"GPU memory",
     [](Experiment& e) {
       const Bytes before = e.cluster.gpu.memory;
       return FromTo(e.cluster.gpu.memory, RoundBytes(static_cast<double>(before.value()) * kMore));
     }},
};

}  // namespace

Result<std::vector<Sensitivity>> SensitivitiesOf(const Experiment& experiment,
                                                 const std::string& schedule, Fidelity fidelity) {
  std::vector<Sensitivity> list;
  for (const Change& change : kChanges) {
    Experiment changed = experiment;
    changed.enforce_memory = false;
    // What was measured was so before the change.
    changed.basis =
        std::make_shared<costs::Basis>(costs::Basis{experiment.cluster, experiment.efficiencies});
    std::string how = change.apply(changed);
    if (how.empty()) continue;
    const auto figures = SimulateFigures(changed, schedule, fidelity);
    if (!figures) return Fail(figures.error());
    list.push_back({change.name, std::move(how), figures->step_time, figures->fits});
  }
  std::stable_sort(list.begin(), list.end(), [](const Sensitivity& a, const Sensitivity& b) {
    return a.step_time < b.step_time;
  });
  return list;
}

}  // namespace pipescope
