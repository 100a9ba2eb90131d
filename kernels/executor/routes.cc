#include "kernels/executor/routes.h"

#include <map>

#include "schedules/token.h"

namespace pipescope::executor {
namespace {

using Place = std::pair<int, int>;  // stage, micro-batch

Place ForwardOf(const schedules::Action& a) { return {a.stage.value(), a.microbatch.value()}; }
Place BackwardOf(const schedules::Action& a) {
  return {schedules::BackwardStage(a).value(), schedules::BackwardMicrobatch(a).value()};
}

// What the actions of one rank hold.
struct Held {
  std::map<Place, int32_t> forward, backward;

  Held(const std::vector<schedules::Action>& actions, int32_t first) {
    for (const schedules::Action& action : actions) {
      if (schedules::HasForward(action)) forward[ForwardOf(action)] = first;
      if (schedules::HasBackward(action)) backward[BackwardOf(action)] = first;
      ++first;
    }
  }
};

int32_t Find(const std::map<Place, int32_t>& held, Place place) {
  const auto at = held.find(place);
  return at == held.end() ? -1 : at->second;
}

}  // namespace

Routes RoutesOf(const schedules::Schedule& schedule, const schedules::Flow& flow) {
  Routes routes;
  for (auto* list : {&routes.activation_from, &routes.gradient_from, &routes.activation_to,
                     &routes.gradient_to}) {
    list->assign(flow.needs.size(), -1);
  }
  for (size_t r = 0; r < schedule.actions.size(); ++r) {
    const auto& actions = schedule.actions[r];
    const Held held(actions, flow.offset[r]);
    for (size_t i = 0; i < actions.size(); ++i) {
      const size_t id = static_cast<size_t>(flow.offset[r]) + i;
      int32_t forward = flow.needs[id].forward, backward = flow.needs[id].backward;
      if (forward < 0 && schedules::HasForward(actions[i])) {
        const auto [stage, microbatch] = ForwardOf(actions[i]);
        forward = Find(held.forward, {stage - 1, microbatch});
      }
      if (backward < 0 && schedules::HasBackward(actions[i])) {
        const auto [stage, microbatch] = BackwardOf(actions[i]);
        backward = Find(held.backward, {stage + 1, microbatch});
      }
      routes.activation_from[id] = forward;
      routes.gradient_from[id] = backward;
      if (forward >= 0) routes.activation_to[static_cast<size_t>(forward)] = static_cast<int>(id);
      if (backward >= 0) routes.gradient_to[static_cast<size_t>(backward)] = static_cast<int>(id);
    }
  }
  return routes;
}

}  // namespace pipescope::executor
