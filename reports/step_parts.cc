#include "reports/step_parts.h"

namespace pipescope::reports {

using Json = nlohmann::ordered_json;

Json BreakdownJson(const timeline::Breakdown& b) {
  return {{"forward", b.forward.seconds()},
          {"backward_input", b.backward_input.seconds()},
          {"backward_weight", b.backward_weight.seconds()},
          {"overlapped", b.overlapped.seconds()},
          {"bubble", b.bubble.seconds()},
          {"optimizer", b.optimizer.seconds()},
          {"exposed_communication", b.exposed_communication.seconds()}};
}

Json MemoryJson(const StepResult& result) {
  Json ranks = Json::array();
  for (const RankMemory& m : result.memory) {
    Json held = Json::array();
    for (const timeline::Holder& h : m.held) {
      held.push_back({{"stage", h.stage.value()},
                      {"what", NameOf(h.what)},
                      {"microbatches", h.microbatches},
                      {"bytes", h.bytes.value()}});
    }
    ranks.push_back({{"parameters", m.parameters.value()},
                     {"gradients", m.gradients.value()},
                     {"optimizer", m.optimizer.value()},
                     {"activations_peak", m.activations_peak.value()},
                     {"buffers", m.buffers.value()},
                     {"total_peak", m.total_peak.value()},
                     {"limit", m.limit.value()},
                     {"held_at_peak", held}});
  }
  return ranks;
}

Json SensitivitiesJson(const StepResult& r) {
  Json list = Json::array();
  for (const Sensitivity& s : r.sensitivities) {
    list.push_back({{"resource", s.resource},
                    {"change", s.change},
                    {"step_time_s", s.step_time.seconds()},
                    {"gain", 1 - s.step_time / r.step_time},
                    {"fits_in_memory", s.fits}});
  }
  return list;
}

Json AssumptionsJson(const std::vector<costs::Assumption>& assumptions) {
  Json list = Json::array();
  for (const costs::Assumption& a : assumptions) {
    list.push_back({{"name", a.name}, {"value", a.value}, {"source", a.source}});
  }
  return list;
}

}  // namespace pipescope::reports
