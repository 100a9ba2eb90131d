#include "kernels/executor/record.h"

#include <algorithm>
#include <map>

#include "schedules/token.h"

namespace pipescope::executor {
namespace {

using timeline::Operation;
using timeline::Timeline;

class Maker {
 public:
  Maker(const schedules::Schedule& schedule, const schedules::Flow& flow,
        std::vector<timeline::Label> labels, const std::vector<RankRecord>& ranks)
      : schedule_(schedule), flow_(flow), ranks_(ranks) {
    made_.ranks = schedule.ranks;
    made_.labels = std::move(labels);
    message_label_ = static_cast<int32_t>(made_.labels.size());
    made_.labels.push_back({"message", timeline::OperationKind::kMessage, timeline::Lane::kPipeline,
                            timeline::Part::kNone});
    zero_ = Clock::time_point::max();
    for (const RankRecord& rank : ranks) {
      for (const StepRecord& step : rank.steps) zero_ = std::min(zero_, step.start);
    }
  }

  Timeline Make() {
    for (size_t r = 0; r < ranks_.size(); ++r) AddRank(static_cast<int>(r));
    for (size_t r = 0; r < ranks_.size(); ++r) AddMessages(static_cast<int>(r));
    for (const timeline::ActionSpan& span : made_.actions) {
      made_.pipeline_end = std::max(made_.pipeline_end, span.end);
    }
    for (const Operation& operation : made_.operations) {
      made_.end = std::max(made_.end, operation.end);
    }
    return std::move(made_);
  }

 private:
  Duration Since(Clock::time_point t) const {
    const auto passed = std::chrono::duration_cast<std::chrono::nanoseconds>(t - zero_);
    return Duration(passed.count() * 1000);
  }

  void AddRank(int rank) {
    const RankRecord& record = ranks_[static_cast<size_t>(rank)];
    base_.push_back(static_cast<int32_t>(made_.operations.size()));
    before_ = -1;
    const auto& actions = schedule_.actions[static_cast<size_t>(rank)];
    const int first_action = static_cast<int>(made_.actions.size());
    for (size_t i = 0; i < record.actions.size(); ++i) {
      const bool of_schedule = i < actions.size();
      AddSteps(rank, record, record.actions[i],
               of_schedule ? static_cast<int32_t>(made_.actions.size()) : -1);
      if (of_schedule) AddAction(rank, actions[i], record.actions[i]);
    }
    made_.rank_actions.emplace_back(first_action, static_cast<int>(made_.actions.size()));
  }

  void AddSteps(int rank, const RankRecord& record, const ActionRecord& action, int32_t number) {
    for (int32_t i = action.first; i < action.first + action.count; ++i) {
      const StepRecord& step = record.steps[static_cast<size_t>(i)];
      Operation operation{rank, step.label, number, -1, Since(step.start), Since(step.end)};
      if (before_ >= 0) Release(operation, before_);
      for (const int32_t other : step.after) Release(operation, base_.back() + other);
      made_.operations.push_back(operation);
    }
    for (int32_t i = action.first; i < action.first + action.count; ++i) {
      const int32_t o = base_.back() + i;
      if (before_ < 0 || End(o) >= End(before_)) before_ = o;
    }
  }

  // The one that ended last let it go.
  void Release(Operation& operation, int32_t by) const {
    if (operation.released_by < 0 || End(by) >= End(operation.released_by)) {
      operation.released_by = by;
    }
  }

  Duration End(int32_t o) const { return made_.operations[static_cast<size_t>(o)].end; }

  void AddAction(int rank, const schedules::Action& action, const ActionRecord& record) {
    const int32_t first = base_.back() + record.first;
    timeline::ActionSpan span{rank, action, first, record.count, Duration::Max(), Duration()};
    for (int32_t i = first; i < first + record.count; ++i) {
      const Operation& operation = made_.operations[static_cast<size_t>(i)];
      span.start = std::min(span.start, operation.start);
      span.end = std::max(span.end, operation.end);
    }
    made_.actions.push_back(span);
  }

  void AddMessages(int rank) {
    const RankRecord& record = ranks_[static_cast<size_t>(rank)];
    for (size_t i = 0; i < record.steps.size(); ++i) {
      const int32_t taken = record.steps[i].message;
      if (taken < 0) continue;
      const MessageRecord& message = record.messages[static_cast<size_t>(taken)];
      const int32_t sender = SentBy(message.name);
      const int32_t number = static_cast<int32_t>(made_.operations.size());
      made_.operations.push_back({message.name.from, message_label_, -1, sender,
                                  Since(message.sent), Since(message.arrived)});
      made_.messages.push_back(Ends(number, message.name));
      Operation& taker =
          made_.operations[static_cast<size_t>(base_[static_cast<size_t>(rank)]) + i];
      Release(taker, number);
    }
  }

  int32_t SentBy(const MessageName& name) const {
    const int32_t position = name.action - flow_.offset[static_cast<size_t>(name.from)];
    const RankRecord& sender = ranks_[static_cast<size_t>(name.from)];
    const ActionRecord& action = sender.actions[static_cast<size_t>(position)];
    return base_[static_cast<size_t>(name.from)] +
           (name.backward ? action.gives_gradient : action.gives_activation);
  }

  timeline::Message Ends(int32_t operation, const MessageName& name) const {
    const int32_t position = name.action - flow_.offset[static_cast<size_t>(name.from)];
    const schedules::Action& action =
        schedule_.actions[static_cast<size_t>(name.from)][static_cast<size_t>(position)];
    const StageId stage = name.backward ? schedules::BackwardStage(action) : action.stage;
    const MicrobatchId microbatch =
        name.backward ? schedules::BackwardMicrobatch(action) : action.microbatch;
    return {operation, name.from, name.to, stage, microbatch, name.backward};
  }

  const schedules::Schedule& schedule_;
  const schedules::Flow& flow_;
  const std::vector<RankRecord>& ranks_;
  Timeline made_;
  int32_t message_label_ = 0;
  Clock::time_point zero_;
  std::vector<int32_t> base_;  // [rank] its first operation
  int32_t before_ = -1;        // the operation of the action before that ended last
};

}  // namespace

Timeline MakeTimeline(const schedules::Schedule& schedule, const schedules::Flow& flow,
                      std::vector<timeline::Label> labels, const std::vector<RankRecord>& ranks) {
  return Maker(schedule, flow, std::move(labels), ranks).Make();
}

}  // namespace pipescope::executor
