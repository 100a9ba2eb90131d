// Times of steps that ran on devices, of record.h.
#include <algorithm>

#include "kernels/executor/record.h"

namespace pipescope::executor {
namespace {

const StepRecord& GivenBy(const MessageName& name, const schedules::Flow& flow,
                          const std::vector<RankRecord>& ranks) {
  const RankRecord& sender = ranks[static_cast<size_t>(name.from)];
  const auto position = name.action - flow.offset[static_cast<size_t>(name.from)];
  const ActionRecord& action = sender.actions[static_cast<size_t>(position)];
  return sender
      .steps[static_cast<size_t>(name.backward ? action.gives_gradient : action.gives_activation)];
}

}  // namespace

Status AskDevice(RankRecord& rank) {
  for (StepRecord& step : rank.steps) {
    if (step.when == nullptr) return {};
    const auto span = step.when();
    if (!span) return Fail(span.error());
    step.start = span->start;
    step.end = span->end;
    rank.on_device = true;
  }
  return {};
}

void TimeMessages(const schedules::Flow& flow, std::vector<RankRecord>& ranks) {
  for (RankRecord& rank : ranks) {
    if (!rank.on_device) continue;
    for (const StepRecord& step : rank.steps) {
      if (step.message < 0) continue;
      MessageRecord& message = rank.messages[static_cast<size_t>(step.message)];
      message.sent = message.arrived = std::min(GivenBy(message.name, flow, ranks).end, step.start);
    }
  }
}

}  // namespace pipescope::executor
