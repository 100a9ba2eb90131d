#include "kernels/executor/play.h"

#include "kernels/executor/post_transport.h"
#include "kernels/executor/rank_run.h"
#include "schedules/token.h"

namespace pipescope::executor {
namespace {

// Copies are made before the first action: a message of a run costs its receiver none.
class Feed : public Transport {
 public:
  Feed(const Handed& handed, size_t activations, size_t gradients, Post* post)
      : activations_(activations, handed.activation),
        gradients_(gradients, handed.gradient),
        post_(post) {}

  Status Send(const MessageName&, Payload) override { return {}; }
  void Progress() override {
    if (post_ != nullptr) HelpAlong(*post_);
  }
  Result<Received> Receive(const MessageName& name) override {
    auto& left = name.backward ? gradients_ : activations_;
    const Clock::time_point now = Clock::now();
    Received received{std::move(left.back()), now, now};
    left.pop_back();
    return received;
  }

 private:
  std::vector<Payload> activations_, gradients_;
  Post* const post_;
};

}  // namespace

Status PlayAlone(int rank, const std::vector<schedules::Action>& actions, const Handed& handed,
                 RankWork& work, Post* post) {
  // The ranks before it have nothing to do.
  schedules::Schedule schedule{"alone", rank + 1, handed.stages, 0, 1, {}};
  schedule.actions.resize(static_cast<size_t>(rank));
  schedule.actions.push_back(actions);
  const auto count = static_cast<int32_t>(actions.size());
  schedules::Flow flow;
  flow.offset.assign(static_cast<size_t>(rank) + 1, 0);
  flow.offset.push_back(count);
  flow.rank_of.assign(actions.size(), rank);
  Routes routes;
  size_t activations = 0, gradients = 0;
  for (int32_t id = 0; id < count; ++id) {
    const schedules::Action& action = actions[static_cast<size_t>(id)];
    const auto among = [&](bool yes) { return yes ? id : -1; };
    const bool forward = schedules::HasForward(action), back = schedules::HasBackward(action);
    const int stage = action.stage.value();
    const int back_stage = back ? schedules::BackwardStage(action).value() : 0;
    routes.activation_from.push_back(among(forward && stage > 0));
    routes.activation_to.push_back(among(forward && stage < handed.stages - 1));
    routes.gradient_from.push_back(among(back && back_stage < handed.stages - 1));
    routes.gradient_to.push_back(among(back && back_stage > 0));
    activations += routes.activation_from.back() >= 0 ? 1 : 0;
    gradients += routes.gradient_from.back() >= 0 ? 1 : 0;
  }
  Feed feed(handed, activations, gradients, post);
  Stop stop;
  Standing standing;
  const RankTask task{rank, &schedule, &flow, &routes, &work, &feed, &stop, &standing};
  RunRank(task);
  if (stop.stopped()) return Fail(stop.message());
  return {};
}

}  // namespace pipescope::executor
