#include "kernels/executor/rank_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "kernels/executor/lane_thread.h"
#include "kernels/turns.h"
#include "schedules/check.h"
#include "schedules/token.h"

namespace pipescope::executor {
namespace {

using timeline::Lane;

constexpr int32_t kStepEnd = -1;  // instead of an action's number

class RankRunner {
 public:
  explicit RankRunner(const RankTask& task) : t_(task) {}

  RankRecord Run() {
    const auto& actions = t_.schedule->actions[static_cast<size_t>(t_.rank)];
    const int32_t first = t_.flow->offset[static_cast<size_t>(t_.rank)];
    t_.standing->actions = static_cast<int32_t>(actions.size());
    for (size_t i = 0; i < actions.size() && !t_.stop->stopped(); ++i) {
      t_.standing->now.Set(actions[i]);
      t_.standing->action = static_cast<int32_t>(i);
      ports_ = {};
      left_ = actions.size() - i;
      RunAction(first + static_cast<int32_t>(i), [&] { return t_.work->Plan(actions[i], ports_); });
    }
    if (t_.stop->stopped()) return std::move(record_);
    t_.standing->action = static_cast<int32_t>(actions.size());
    RunAction(kStepEnd, [&] { return t_.work->StepEnd(); });
    return std::move(record_);
  }

 private:
  template <class Plan>
  void RunAction(int32_t id, const Plan& plan) {
    steps_ = plan();
    id_ = id;
    base_ = t_.records ? record_.steps.size() : 0;
    const size_t count = steps_.list.size();
    const auto number = [&](int32_t i) { return i < 0 ? -1 : static_cast<int32_t>(base_) + i; };
    if (t_.records) {
      record_.actions.push_back({number(0), static_cast<int32_t>(count),
                                 number(steps_.gives_activation), number(steps_.gives_gradient)});
      // At once for all actions that are left: as if all were as long.
      if (base_ + count > record_.steps.capacity()) {
        record_.steps.reserve(base_ + count * (left_ + 1));
      }
      record_.steps.resize(base_ + count);
    }
    done_.assign(count, false);
    const bool two_lanes =
        std::any_of(steps_.list.begin(), steps_.list.end(),
                    [](const Step& step) { return step.lane == Lane::kCommunication; });
    if (two_lanes) {
      if (lane_ == nullptr) lane_ = std::make_unique<LaneThread>();
      lane_->Start([this] { RunLane(true); });
    }
    RunLane(false);
    if (two_lanes) lane_->Wait();
  }

  void RunLane(bool communication) {
    int32_t before = -1;
    for (size_t i = 0; i < steps_.list.size(); ++i) {
      const Step& step = steps_.list[i];
      if ((step.lane == Lane::kCommunication) != communication) continue;
      if (!RunStep(static_cast<int32_t>(i), step, before)) return;
      before = static_cast<int32_t>(i);
    }
  }

  bool RunStep(int32_t i, const Step& step, int32_t before) {
    StepRecord unused;
    StepRecord& record = t_.records ? record_.steps[base_ + static_cast<size_t>(i)] : unused;
    if (t_.records) Begin(step, before, record);
    if (!WaitFor(step.after) || !Take(i, record)) return false;
    if (t_.records) record.start = Clock::now();
    const Status status = Call(step);
    if (t_.records) record.end = Clock::now();
    if (!status) return Fail(i, status.error().ToString());
    ++t_.standing->steps_run;
    {
      const std::lock_guard lock(mutex_);
      done_[static_cast<size_t>(i)] = true;
    }
    ended_.notify_all();
    if (!Give(i)) return false;
    t_.transport->Progress();
    kernels::OfferTurn();
    return true;
  }

  void Begin(const Step& step, int32_t before, StepRecord& record) const {
    record.label = step.label;
    record.lane = step.lane;
    record.when = step.when;
    record.after.reserve(step.after.size() + 1);
    const auto waits = [&](int32_t other) {
      if (other >= 0) record.after.push_back(static_cast<int32_t>(base_) + other);
    };
    waits(before);
    std::for_each(step.after.begin(), step.after.end(), waits);
  }

  bool WaitFor(const std::vector<int32_t>& after) {
    std::unique_lock lock(mutex_);
    const auto ready = [&] {
      return std::all_of(after.begin(), after.end(),
                         [&](int32_t other) { return done_[static_cast<size_t>(other)]; });
    };
    while (!ready()) {
      if (t_.stop->stopped()) return false;
      if (kernels::WaitInTurn(lock, [&] { return ready() || t_.stop->stopped(); })) continue;
      ended_.wait_for(lock, kPatience);
    }
    return !t_.stop->stopped();
  }

  bool Take(int32_t i, StepRecord& record) {
    if (id_ == kStepEnd) return true;
    const size_t id = static_cast<size_t>(id_);
    return (i != steps_.takes_activation ||
            Receive(t_.routes->activation_from[id], false, record)) &&
           (i != steps_.takes_gradient || Receive(t_.routes->gradient_from[id], true, record));
  }

  bool Receive(int32_t from, bool backward, StepRecord& record) {
    if (from < 0) return true;
    const MessageName name{t_.flow->RankOf(from), t_.rank, from, backward};
    auto received = t_.transport->Receive(name);
    if (!received) {
      t_.stop->Fail(Place(*t_.schedule, t_.rank, t_.standing->action) + ": " +
                    received.error().ToString());
      return false;
    }
    (backward ? ports_.gradient_in : ports_.activation_in) = std::move(received->payload);
    if (!t_.records) return true;
    const std::lock_guard lock(mutex_);
    record.message = static_cast<int32_t>(record_.messages.size());
    record_.messages.push_back({name, received->sent, received->arrived});
    return true;
  }

  bool Give(int32_t i) {
    if (id_ == kStepEnd) return true;
    const size_t id = static_cast<size_t>(id_);
    return (i != steps_.gives_activation ||
            Send(t_.routes->activation_to[id], false, ports_.activation_out)) &&
           (i != steps_.gives_gradient ||
            Send(t_.routes->gradient_to[id], true, ports_.gradient_out));
  }

  bool Send(int32_t to, bool backward, Payload& payload) {
    if (to < 0) return true;
    const Status sent =
        t_.transport->Send({t_.rank, t_.flow->RankOf(to), id_, backward}, std::move(payload));
    if (!sent) {
      t_.stop->Fail(Place(*t_.schedule, t_.rank, t_.standing->action) + ": " +
                    sent.error().ToString());
    }
    return sent.has_value();
  }

  bool Fail(int32_t step, const std::string& why) {
    const int32_t label = steps_.list[static_cast<size_t>(step)].label;
    t_.stop->Fail(fmt::format("{}: {}: {}", Place(*t_.schedule, t_.rank, t_.standing->action),
                              t_.work->labels()[static_cast<size_t>(label)].name, why));
    return false;
  }

  const RankTask& t_;
  Ports ports_;
  Steps steps_;
  int32_t id_ = kStepEnd;
  size_t left_ = 0;  // actions, this one among them
  size_t base_ = 0;  // of the action's steps in the record
  RankRecord record_;
  std::mutex mutex_;  // of done_ and of the record's messages
  std::condition_variable ended_;
  std::vector<bool> done_;
  std::unique_ptr<LaneThread> lane_;
};

}  // namespace

void SharedAction::Set(const schedules::Action& action) {
  fields_[0] = static_cast<int32_t>(action.kind);
  fields_[1] = action.stage.value();
  fields_[2] = action.microbatch.value();
  fields_[3] = action.backward_stage.value();
  fields_[4] = action.backward_microbatch.value();
}

schedules::Action SharedAction::Get() const {
  return {static_cast<schedules::ActionKind>(fields_[0].load()), StageId(fields_[1]),
          MicrobatchId(fields_[2]), StageId(fields_[3]), MicrobatchId(fields_[4])};
}

Status Call(const Step& step) {
  try {
    return step.run();
  } catch (const std::exception& e) {
    return Fail(e.what());
  }
}

RankRecord RunRank(const RankTask& task) { return RankRunner(task).Run(); }

std::string Place(int rank, int32_t action, int32_t actions, const schedules::Action& now) {
  if (action >= actions) return fmt::format("rank {}, the step's end", rank);
  return fmt::format("rank {}, action {} of {}, {}", rank, action + 1, actions,
                     schedules::ToToken(now));
}

std::string Place(const schedules::Schedule& schedule, int rank, int32_t action) {
  const auto& actions = schedule.actions[static_cast<size_t>(rank)];
  const auto count = static_cast<int32_t>(actions.size());
  const bool ended = action >= count;
  return Place(rank, action, count,
               ended ? schedules::Action{} : actions[static_cast<size_t>(action)]);
}

Status Sound(const schedules::Schedule& schedule) {
  const std::vector<schedules::Finding> findings = schedules::Check(schedule);
  if (findings.empty()) return {};
  return Fail("the schedule cannot run: " + schedules::InOneLine(findings.front()));
}

}  // namespace pipescope::executor
